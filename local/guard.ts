/**
 * Ends the processes of a stack whose supervisor died without doing so itself, as after `kill -9`.
 *
 * The supervisor holds the writing end of this process's standard input, and names there each process it
 * starts, before that process may do anything. The end of the input, for whatever reason, means that nobody
 * looks after those processes any longer.
 *
 *   ["add", PID, SIGNAL, MS]   end this process, and its group, by this signal, and after so long by SIGKILL
 *   ["forget", PID]            it ended by itself
 *   ["remove", FOLDER]         delete this folder when all is over
 */
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { endProcess } from "./processes.ts";

/** Nobody waits for an orderly end any longer, and a new start may be near. */
const LONGEST_GRACE_MS = 8_000;

type Ending = { signal: NodeJS.Signals; graceMs: number };

type Message = [verb: string, argument: number | string, signal?: NodeJS.Signals, graceMs?: number];

const processes = new Map<number, Ending>();
const folders: string[] = [];

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, argument, signal = "SIGTERM", graceMs = 0] = JSON.parse(line) as Message;
  if (verb === "add")
    processes.set(Number(argument), { signal, graceMs: Math.min(graceMs, LONGEST_GRACE_MS) });
  if (verb === "forget") processes.delete(Number(argument));
  if (verb === "remove") folders.push(String(argument));
}

await Promise.all([...processes].map(([pid, { signal, graceMs }]) => endProcess(pid, signal, graceMs)));
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
