import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { GuardLink } from "../../local/guard-link.ts";
import { splitLines } from "../../local/logs.ts";
import { endProcess } from "../../local/processes.ts";
import { waitUntilReady } from "../../local/readiness.ts";
import type { ProcessSpec } from "../../local/supervisor.ts";

const LINES_KEPT = 60;

/** While it was down, somebody else may have got its port for a moment. */
const START_ATTEMPTS = 3;

/**
 * A process that is killed, stopped, frozen and started again by hand, and never by itself. It ends with the test
 * that runs it, also where that is killed.
 */
export class FaultProcess {
  readonly spec: ProcessSpec;
  /** How it ended each time when nobody had asked it to. */
  readonly unexpectedEnds: string[] = [];
  readonly #guard: GuardLink;
  readonly #lines: string[] = [];
  #child: ChildProcess | undefined;
  #ended: Promise<string> = Promise.resolve("not started");
  #isExpectedToEnd = false;

  constructor(spec: ProcessSpec, guard: GuardLink) {
    this.spec = spec;
    this.#guard = guard;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Its process id while it runs. */
  get pid(): number | undefined {
    return this.isRunning ? this.#child?.pid : undefined;
  }

  /** The last lines it printed, over all its lives. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /**
   * Resolves when it serves.
   *
   * @throws Error with the last lines it printed, where it does not
   */
  async start(): Promise<void> {
    if (this.#isExpectedToEnd) await this.#ended; // it was killed a moment ago
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#launch();
      } catch (error) {
        await this.stop();
        if (attempt === START_ATTEMPTS) throw error;
      }
    }
  }

  /** Ends it in the middle of whatever it does, as by `kill -9`. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.#ended;
  }

  /** Ends it in order. @returns how it ended, when it is gone */
  async stop(): Promise<string> {
    const { pid } = this.#child ?? {};
    if (pid === undefined || !this.isRunning) return this.#ended;
    this.#isExpectedToEnd = true;
    process.kill(pid, "SIGCONT"); // a frozen one would not hear the signal
    await endProcess(pid, this.spec.stopSignal, this.spec.stopWithinMs);
    return this.#ended;
  }

  /** Freezes it where it stands, with its connections open and its locks held, as by SIGSTOP. */
  freeze(): void {
    this.#signal("SIGSTOP");
  }

  /** Lets it go on as if no time had passed. */
  thaw(): void {
    this.#signal("SIGCONT");
  }

  /** Ends it by hand in a moment of the caller's: the signal is sent before this returns. */
  killNow(): void {
    this.#signal("SIGKILL");
  }

  /** Sends any other signal, of which it is not to end. */
  send(signal: NodeJS.Signals): void {
    this.#signal(signal);
  }

  /** Whether it may end by itself, until it is started again. */
  mayEnd(may: boolean): void {
    this.#isExpectedToEnd = may;
  }

  /** It is to end by itself. @returns whether it has, within `limitMs` */
  async endsWithin(limitMs: number): Promise<boolean> {
    this.#isExpectedToEnd = true;
    const over = new AbortController();
    const limit = delay(limitMs, "late" as const, { signal: over.signal }).catch(() => "late" as const);
    const first = await Promise.race([this.#ended, limit]);
    over.abort();
    return first !== "late";
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.isRunning) throw new Error(`${this.spec.name} is not running`);
    if (signal === "SIGKILL") this.#isExpectedToEnd = true;
    this.#child?.kill(signal);
  }

  async #launch(): Promise<void> {
    if (this.isRunning) throw new Error(`${this.spec.name} is running`);
    const { command, args, env, cwd, account } = this.spec;
    this.#isExpectedToEnd = false;
    const child = spawn(command, args, {
      detached: true, // Ctrl-C at the terminal is ours to handle
      stdio: ["ignore", "pipe", "pipe"],
      ...(env && { env }),
      ...(cwd && { cwd }),
      ...(account && { uid: account.uid, gid: account.gid }),
    });
    this.#child = child;
    const { pid } = child;
    const loggedReady = Promise.withResolvers<void>();
    this.#collect(child, loggedReady.resolve);
    let isReady = false;
    this.#ended = new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, signal) => {
        const end = signal ?? `exit code ${code}`;
        if (pid !== undefined) void this.#guard.forget(pid);
        if (isReady && !this.#isExpectedToEnd) this.unexpectedEnds.push(end);
        resolve(end);
      });
    });
    if (pid !== undefined) await this.#guard.add(pid, "SIGKILL", 0);
    try {
      await waitUntilReady(this.spec, loggedReady.promise, this.#ended);
      isReady = true;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error([message, ...this.#lines].join("\n"), { cause: error });
    }
  }

  #collect(child: ChildProcess, onReady: () => void): void {
    const { readyWhen } = this.spec;
    for (const stream of [child.stdout, child.stderr]) {
      const split = splitLines((line) => {
        this.#lines.push(line);
        if (this.#lines.length > LINES_KEPT) this.#lines.shift();
        if ("logged" in readyWhen && line.includes(readyWhen.logged)) onReady();
      });
      stream?.setEncoding("utf8").on("data", split);
    }
  }
}
