import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ProcessRecord } from "./processes.ts";

type Ending = { signal: NodeJS.Signals; graceMs: number };

/** The supervisor's side of the guard (guard.ts), which is started again when it dies. */
export class GuardLink {
  readonly #record: ProcessRecord;
  readonly #guarded = new Map<number, Ending>();
  readonly #folders: string[] = [];
  #guard: ChildProcess | undefined;
  #isOver = false;

  constructor(record: ProcessRecord) {
    this.#record = record;
  }

  async start(): Promise<void> {
    const guard = spawn(process.execPath, [fileURLToPath(new URL("guard.ts", import.meta.url))], {
      detached: true, // whatever signals reach us must not reach it
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#guard = guard;
    guard.stdin?.on("error", () => {});
    guard.once("exit", () => {
      if (!this.#isOver) void this.start();
    });
    if (guard.pid !== undefined) this.#record.add(guard.pid, "SIGTERM", 0);
    for (const [pid, { signal, graceMs }] of this.#guarded) await this.#send("add", pid, signal, graceMs);
    for (const folder of this.#folders) await this.#send("remove", folder);
  }

  /** Resolves when the process is known, and will end even if we die at once. */
  async add(pid: number, signal: NodeJS.Signals, graceMs: number): Promise<void> {
    this.#record.add(pid, signal, graceMs);
    this.#guarded.set(pid, { signal, graceMs });
    await this.#send("add", pid, signal, graceMs);
  }

  async forget(pid: number): Promise<void> {
    this.#guarded.delete(pid);
    await this.#send("forget", pid);
  }

  async removeAfterwards(folder: string): Promise<void> {
    this.#folders.push(folder);
    await this.#send("remove", folder);
  }

  /** Nothing is left to guard. */
  end(): void {
    this.#isOver = true;
    this.#guard?.stdin?.end();
  }

  /** Resolves when the words are in the pipe, where they are safe even if this process dies. */
  #send(...words: (string | number)[]): Promise<void> {
    const stdin = this.#guard?.stdin;
    return new Promise((resolve) => {
      if (!stdin?.writable) return resolve();
      stdin.write(`${JSON.stringify(words)}\n`, () => resolve());
    });
  }
}
