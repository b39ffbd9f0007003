import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import type { BoxOffice } from "./box-office.ts";

const PROBE_MS = 3_000;

/** What PostgreSQL writes at a time, and how much of its log is written over and over. */
const BLOCK = Buffer.alloc(8_192, 1);
const FILE_BYTES = 16 * 2 ** 20;

/**
 * How long the disk takes to keep a block, in a sentence: no commit is quicker than that, and one that comes while
 * another is being written waits for both.
 */
export async function describeDisk({ folder }: Pick<BoxOffice, "folder">): Promise<string> {
  const file = join(folder, "disk-probe");
  const descriptor = openSync(file, "w");
  const tookMs: number[] = [];
  try {
    const endMs = performance.now() + PROBE_MS;
    for (let at = 0; performance.now() < endMs; at = (at + BLOCK.length) % FILE_BYTES) {
      const startMs = performance.now();
      writeSync(descriptor, BLOCK, 0, BLOCK.length, at);
      fdatasyncSync(descriptor);
      tookMs.push(performance.now() - startMs);
      await turn(); // signals are heard
    }
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
  tookMs.sort((a, b) => a - b);
  const quantile = (part: number) => (tookMs[Math.floor(part * (tookMs.length - 1))] ?? 0).toFixed(1);
  return `disk: a block is kept after ${quantile(0.5)} ms (p50), ${quantile(0.99)} ms (p99), ${quantile(1)} ms at worst`;
}
