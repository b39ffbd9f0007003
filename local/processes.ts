import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { describeProcess, isRunning, type Process } from "./process-lock.mjs";

const POLL_MS = 20;

/**
 * Ends a process by `signal` and, where that takes longer than `graceMs`, by SIGKILL, together with what is
 * left of its process group. Resolves when it is gone, or when even SIGKILL does not help within 2 s.
 */
export async function endProcess(pid: number, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  const known = describeProcess(pid);
  if (known === undefined) return;
  send(pid, signal);
  if (!(await isGone(known, graceMs))) send(pid, "SIGKILL");
  send(-pid, "SIGKILL");
  await isGone(known, 2_000);
}

/** Resolves to whether the process ended within `limitMs`. */
export async function isGone(known: Process, limitMs: number): Promise<boolean> {
  for (const deadline = Date.now() + limitMs; isRunning(known); ) {
    if (Date.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/**
 * The processes that a stack started, written down in a file, so that the next start can end those which
 * outlived both their supervisor and its guard.
 */
export class ProcessRecord {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  add(pid: number, signal: NodeJS.Signals, graceMs: number): void {
    const known = describeProcess(pid);
    if (known !== undefined) appendFileSync(this.#file, `${JSON.stringify({ ...known, signal, graceMs })}\n`);
  }

  /**
   * Ends what an earlier stack left behind. Its guard, which is the first on record, is given `guardLimitMs` to
   * do so itself. Resolves to the number of processes that were still there.
   */
  async endLeftovers(guardLimitMs: number): Promise<number> {
    const recorded = this.#read();
    const [guard] = recorded;
    if (guard !== undefined) await isGone(guard, guardLimitMs);
    const left = recorded.filter(isRunning);
    await Promise.all(left.map(({ pid, signal, graceMs }) => endProcess(pid, signal, graceMs)));
    rmSync(this.#file, { force: true });
    return left.length;
  }

  #read(): Recorded[] {
    let text: string;
    try {
      text = readFileSync(this.#file, "utf8");
    } catch {
      return [];
    }
    return text.split("\n").flatMap((line) => {
      try {
        return [JSON.parse(line) as Recorded];
      } catch {
        return []; // the empty last line, or one that a power cut left half written
      }
    });
  }
}

type Recorded = Process & { signal: NodeJS.Signals; graceMs: number };

/** The command line of a process, or "" where there is none. */
export function commandOf(pid: number): string {
  try {
    if (process.platform === "linux")
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone.
  }
}
