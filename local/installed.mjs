import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export const WANTED_NODE = 24;
const platform = `${process.platform}-${process.arch}`;

/** Whether what is in node_modules is what package-lock.json asks for, on this platform. */
export function isInstalled(folder, here = platform) {
  const lockfile = readText(join(folder, "package-lock.json"));
  if (readText(markerOf(folder)) === fingerprint(lockfile, here)) return true;
  // A developer who ran `npm install` has everything too, though no marker.
  const installed = readText(join(folder, "node_modules", ".package-lock.json"));
  if (installed === "" || !satisfies(JSON.parse(installed), JSON.parse(lockfile), here)) return false;
  markInstalled(folder, here);
  return true;
}

/** Remembers that node_modules holds what package-lock.json asks for. */
export function markInstalled(folder, here = platform) {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  writeFileSync(markerOf(folder), fingerprint(readText(join(folder, "package-lock.json")), here));
}

/**
 * The folder of the Node to run with and its version: the npm package `node`, whose install script may have
 * been skipped; the platform package behind it; or the Node that runs this, when it is new enough.
 */
export function findNode(folder, running = process.execPath) {
  const candidates = [
    join(folder, "node_modules", "node", "bin", "node"),
    join(folder, "node_modules", "node", "node_modules", `node-${platform}`, "bin", "node"),
    join(folder, "node_modules", `node-${platform}`, "bin", "node"),
    running,
  ];
  for (const candidate of candidates) {
    if (!existsSync(candidate)) continue;
    const version = candidate === process.execPath ? process.version : askVersion(candidate);
    if (majorOf(version) >= WANTED_NODE) return { bin: dirname(candidate), node: candidate, version };
  }
  return undefined;
}

/** Whether npm's record of what it installed holds all that the lockfile asks for here, and nothing else. */
function satisfies(installed, lockfile, here) {
  const [os, cpu] = here.split("-");
  const matches = (allowed, value) => allowed === undefined || allowed.includes(value);
  const present = installed.packages ?? {};
  const wanted = lockfile.packages ?? {};
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "" || path in present) continue;
    // Optional packages may be left out; the ones made for exactly this platform may not (but for their libc).
    const forHere = entry.os !== undefined && matches(entry.os, os) && matches(entry.cpu, cpu);
    if (!entry.optional || (forHere && entry.libc === undefined)) return false;
  }
  return Object.entries(present).every(
    ([path, { version, integrity }]) =>
      wanted[path]?.version === version && wanted[path]?.integrity === integrity,
  );
}

function fingerprint(lockfile, here) {
  return createHash("sha256").update(`${here}\n${lockfile}`).digest("hex");
}

function markerOf(folder) {
  return join(folder, "node_modules", ".boxoffice-installed");
}

function askVersion(node) {
  return spawnSync(node, ["--version"], { encoding: "utf8" }).stdout?.trim() ?? "";
}

export function majorOf(version) {
  return Number(/^v(\d+)\./.exec(version)?.[1] ?? 0);
}

function readText(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
