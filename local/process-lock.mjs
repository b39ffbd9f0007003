import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/**
 * Plain JavaScript, because the bootstrap uses it before anything is installed.
 *
 * A process is known by its id and the moment it began: an id alone is given again to another process after a
 * power cut, and then nothing would ever start.
 *
 * @typedef {{ pid: number, began: string }} Process
 */

/** How long after taking a lock to look whether it was really ours: far longer than unlinking a file takes. */
const SETTLE_MS = 50;

/**
 * The process with this id, or undefined where there is none.
 *
 * @param {number} pid
 * @returns {Process | undefined}
 */
export function describeProcess(pid) {
  try {
    if (process.platform !== "linux") {
      const began = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
      return began === "" ? undefined : { pid, began };
    }
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may hold anything; after it come the state and, 19 fields on, the start time.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return { pid, began: `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${fields[19]}` };
  } catch {
    return undefined;
  }
}

/**
 * @param {Process} known
 * @returns {boolean} whether that very process still runs
 */
export function isRunning(known) {
  return describeProcess(known.pid)?.began === known.began;
}

/**
 * Takes the lock that the file stands for, which a process that died holds no longer.
 *
 * @param {string} file
 * @returns {Promise<{ release: () => void } | { heldBy: number }>}
 */
export async function tryLock(file) {
  const me = JSON.stringify(describeProcess(process.pid));
  for (;;) {
    try {
      writeFileSync(file, me, { flag: "wx" });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      const holder = readHolder(file);
      if (holder !== undefined && isRunning(holder)) return { heldBy: holder.pid };
      rmSync(file, { force: true });
      continue;
    }
    // Somebody else who saw the same dead holder may just have unlinked our file instead of the dead one's.
    await delay(SETTLE_MS);
    if (readText(file) === me) return { release: () => rmSync(file, { force: true }) };
  }
}

/** A file that is still empty was created a moment ago, so it is read once more before it counts as broken. */
function readHolder(file) {
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      return JSON.parse(readText(file));
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  return undefined;
}

function readText(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
