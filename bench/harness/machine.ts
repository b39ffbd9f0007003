import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import type { Pace } from "../mode.ts";
import { findTool } from "./tools.ts";

const GIBIBYTE = 2 ** 30;

/** What was measured on, with what, in a line or two. */
export function describeMachine({ runs, warmUpSeconds, windowSeconds, isQuick }: Pace): string {
  const memory = Math.round(totalmem() / GIBIBYTE);
  return [
    `${availableParallelism()} processors (${cpus()[0]?.model.trim() ?? "unknown"}), ${memory} GiB, ${type()} ${release()}, ` +
      `Node ${process.version}, ${toolVersion("pgbench")}, ${toolVersion("h2load")}, at ${commit()}`,
    `${runs} runs of ${windowSeconds} s after ${warmUpSeconds} s of warm-up, medians with the least and the most` +
      (isQuick ? "; QUICK: these figures mean nothing" : ""),
  ].join("\n");
}

function toolVersion(tool: "pgbench" | "h2load"): string {
  const path = findTool(tool);
  return path === undefined ? `no ${tool}` : (ask(path, "--version").split("\n")[0] ?? tool);
}

function commit(): string {
  const head = ask("git", "rev-parse", "--short", "HEAD");
  return head === "" ? "an unknown commit" : `commit ${head}`;
}

function ask(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}
