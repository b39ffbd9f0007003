/**
 * Ends the processes of a stack whose supervisor died without doing so itself, as after `kill -9`.
 *
 * The supervisor holds the writing end of this process's standard input, and names there each process it
 * starts, before that process may do anything. The end of the input, for whatever reason, means that nobody
 * looks after those processes any longer.
 *
 *   add PID SIGNAL     end this process, and its process group, by this signal
 *   forget PID         it ended by itself
 *   remove FOLDER      delete this folder when all is over
 */
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { endProcess } from "./processes.ts";

const GRACE_MS = 8_000;

const processes = new Map<number, NodeJS.Signals>();
const folders: string[] = [];

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, argument = "", signal] = JSON.parse(line) as [string, string | number, NodeJS.Signals?];
  if (verb === "add") processes.set(Number(argument), signal ?? "SIGTERM");
  if (verb === "forget") processes.delete(Number(argument));
  if (verb === "remove") folders.push(String(argument));
}

await Promise.all([...processes].map(([pid, signal]) => endProcess(pid, signal, GRACE_MS)));
if (folders.length > 0 && processes.size > 0) await delay(100);
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
