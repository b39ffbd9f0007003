import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Window } from "./window.ts";

/** What `node --cpu-prof` writes, as far as it is read here. */
type CpuProfile = {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  /** Microseconds of the monotonic clock. */
  startTime: number;
  samples: number[];
  /** Microseconds since the sample before. */
  timeDeltas: number[];
};

/** Shares of the time in which the process was busy. */
export type ProfileSummary = {
  busyMs: number;
  packages: Share[];
  functions: Share[];
};

type Share = { name: string; share: number };

const IDLE = new Set(["(idle)", "(program)", "(root)"]);

const SHOWN = 30;

/** The profile in a folder, in the stretches of time under load, as a list for the terminal. */
export function printProfile(folder: string, windows: readonly Pick<Window, "monotonicUs">[]): string {
  const [name] = readdirSync(folder);
  if (name === undefined) return "There is no profile: the process did not end in order.";
  const file = join(folder, name);
  const profile = JSON.parse(readFileSync(file, "utf8")) as CpuProfile;
  const { busyMs, packages, functions } = summarizeProfile(
    profile,
    windows.map(({ monotonicUs }) => monotonicUs),
  );
  const list = (shares: Share[]) =>
    shares.slice(0, SHOWN).map((one) => `${(100 * one.share).toFixed(1).padStart(6)} %  ${one.name}`);
  return [
    `busy for ${(busyMs / 1_000).toFixed(1)} s under load; by package:`,
    ...list(packages),
    "by function:",
    ...list(functions),
    `The whole profile, for a browser's developer tools: ${file}`,
  ].join("\n");
}

/** Sums self time within some stretches of a CPU profile by package and by function, the largest first. */
export function summarizeProfile(
  { nodes, samples, timeDeltas, startTime }: CpuProfile,
  stretches: readonly { from: number; until: number }[],
): ProfileSummary {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const packages = new Map<string, number>();
  const functions = new Map<string, number>();
  let busyUs = 0;
  let nowUs = startTime;
  for (const [index, sample] of samples.entries()) {
    const us = timeDeltas[index] ?? 0;
    nowUs += us;
    const frame = frames.get(sample);
    if (!stretches.some(({ from, until }) => nowUs >= from && nowUs <= until)) continue;
    if (frame === undefined || IDLE.has(frame.functionName)) continue;
    busyUs += us;
    const name = packageOf(frame.url, frame.functionName);
    add(packages, name, us);
    add(
      functions,
      `${frame.functionName || "(anonymous)"} ${shortUrl(frame.url)}:${frame.lineNumber + 1}`,
      us,
    );
  }
  return {
    busyMs: busyUs / 1_000,
    packages: largest(packages, busyUs),
    functions: largest(functions, busyUs),
  };
}

function largest(times: Map<string, number>, all: number): { name: string; share: number }[] {
  return [...times].map(([name, us]) => ({ name, share: us / all })).sort((a, b) => b.share - a.share);
}

function add(times: Map<string, number>, name: string, us: number): void {
  times.set(name, (times.get(name) ?? 0) + us);
}

/** Whose code it is: a package of npm, a folder of ours, a module of Node's, or what V8 calls it. */
function packageOf(url: string, functionName: string): string {
  if (url === "") return functionName.startsWith("(") ? functionName : "native";
  if (url.startsWith("node:"))
    return `node:${
      url
        .slice(5)
        .replace(/^internal\//, "")
        .split("/")[0]
    }`;
  const [, npm] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (npm !== undefined) return npm;
  return shortUrl(url).replace(/\/src\//, "/");
}

function shortUrl(url: string): string {
  const modules = url.lastIndexOf("/node_modules/");
  if (modules >= 0) return url.slice(modules + "/node_modules/".length);
  return url.replace(/^file:\/\/.*?\/(?=(services|packages|proto|gateway)\/)/, "");
}
