import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { GuardLink } from "./guard-link.ts";
import { LogFile, splitLines, worthReading } from "./logs.ts";
import { endProcess, ProcessRecord } from "./processes.ts";
import { waitUntilReady } from "./readiness.ts";

/** One long-running process of the stack. */
export type ProcessSpec = {
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Run as this user instead of ours; takes root. */
  account?: { uid: number; gid: number };
  /** It serves when it has logged a line with this text, or when this URL answers 200. */
  readyWhen: { logged: string } | { ok: string };
  readyWithinMs: number;
  stopSignal: NodeJS.Signals;
  stopWithinMs: number;
  /** What is on a higher tier uses what is on a lower one, and is stopped before it. */
  tier: number;
};

/** A program that runs to its end, such as `initdb`. */
export type ToolSpec = Pick<ProcessSpec, "name" | "command" | "args" | "env" | "cwd" | "account"> & {
  /** What it reads from its standard input. */
  input?: string;
};

type Program = Omit<ProcessSpec, "readyWhen" | "readyWithinMs">;
type Supervised = { spec: Program; child: ChildProcess | undefined; looking: Promise<void> };

const BACKOFF_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000];
/** A process that ran this long begins with the shortest backoff again. */
const STEADY_MS = 60_000;
const LINES_IN_ERROR = 15;
const LEFTOVERS_LIMIT_MS = 15_000;

/** Waits for permission before it becomes the program. So nothing runs that the guard has not heard of. */
const GATE = 'read -r go <&3 || exit 125; exec 3<&-; exec "$@"';

/** Starts processes, keeps them running, collects what they log, and ends them in order. */
export class Supervisor {
  readonly #folder: string;
  readonly #tell: (line: string) => void;
  readonly #record: ProcessRecord;
  readonly #supervised: Supervised[] = [];
  readonly #stopping = new AbortController();
  readonly #guard: GuardLink;
  #stopped: Promise<void> | undefined;

  /**
   * @param folder where logs and the record of processes are kept
   * @param tell shows a line to the person at the terminal
   */
  constructor(folder: string, tell: (line: string) => void) {
    this.#folder = folder;
    this.#tell = tell;
    mkdirSync(join(folder, "logs"), { recursive: true });
    this.#record = new ProcessRecord(join(folder, "processes"));
    this.#guard = new GuardLink(this.#record);
  }

  /** Ends what an earlier supervisor of this folder left behind, and starts the guard. Call it first. */
  async begin(): Promise<void> {
    const left = await this.#record.endLeftovers(LEFTOVERS_LIMIT_MS);
    if (left > 0) this.#tell(`Ended ${left} processes that an earlier start left behind.`);
    await this.#guard.start();
  }

  /** Has a folder deleted when everything ended, also where this process is killed before. */
  removeAfterwards(folder: string): Promise<void> {
    return this.#guard.removeAfterwards(folder);
  }

  /**
   * Starts a process and resolves when it serves. From then on it is started again whenever it ends.
   *
   * @throws Error with the last lines it logged, where it ended or did not serve in time
   */
  async run(spec: ProcessSpec): Promise<void> {
    const supervised = { spec, child: undefined, looking: Promise.resolve() };
    this.#supervised.push(supervised);
    const log = new LogFile(join(this.#folder, "logs", `${spec.name}.log`));
    const first = await this.#launch(supervised, log);
    await first.ready;
    supervised.looking = this.#keepRunning(supervised, log, first);
  }

  /**
   * Runs a program to its end, which also comes when this process is stopped or killed.
   *
   * @throws Error with the end of what it printed, where it fails
   */
  async runTool(tool: ToolSpec): Promise<void> {
    const spec = { ...tool, stopSignal: "SIGTERM", stopWithinMs: 2_000, tier: 0 } as const;
    const supervised: Supervised = { spec, child: undefined, looking: Promise.resolve() };
    this.#supervised.push(supervised);
    const { child, ended } = await this.#spawn(supervised, tool.input);
    const printed = collectLines(child, () => {});
    const end = await ended;
    this.#supervised.splice(this.#supervised.indexOf(supervised), 1);
    this.#stopping.signal.throwIfAborted();
    if (child.exitCode !== 0)
      throw new Error([`${tool.name} failed (${end}). It printed:`, ...printed].join("\n"));
  }

  /** Ends everything, highest tier first. Calling it again waits for the same end. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    this.#stopping.abort();
    const tiers = [...new Set(this.#supervised.map(({ spec }) => spec.tier))].sort((a, b) => b - a);
    for (const tier of tiers) {
      const members = this.#supervised.filter(({ spec }) => spec.tier === tier);
      await Promise.all(
        members.map(async ({ spec, child, looking }) => {
          if (child?.pid !== undefined && !hasEnded(child)) {
            await endProcess(child.pid, spec.stopSignal, spec.stopWithinMs);
          }
          await Promise.race([looking, delay(2_000, undefined, { ref: false })]);
        }),
      );
    }
    this.#guard.end();
  }

  async #keepRunning(
    supervised: Supervised & { spec: ProcessSpec },
    log: LogFile,
    first: Launched,
  ): Promise<void> {
    const { name } = supervised.spec;
    let launched = first;
    let failures = 0;
    for (;;) {
      const end = await launched.ended;
      if (this.#stopping.signal.aborted) return;
      if (Date.now() - launched.startedAt > STEADY_MS) failures = 0;
      const waitMs = BACKOFF_MS[Math.min(failures++, BACKOFF_MS.length - 1)] ?? 0;
      this.#tell(`${name} ended unexpectedly (${end}); starting it again in ${waitMs / 1000} s.`);
      log.write(`supervisor: ${name} ended unexpectedly (${end}); restart in ${waitMs / 1000} s`);
      await delay(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted) return;
      launched = await this.#launch(supervised, log);
      launched.ready.then(
        () => this.#tell(`${name} is ready again.`),
        (error: unknown) => this.#failedAgain(supervised, error),
      );
    }
  }

  /** A process that is started again and does not serve in time is ended, so that the next try can follow. */
  #failedAgain({ spec, child }: Supervised, error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    this.#tell(error instanceof Error ? error.message : String(error));
    if (child?.pid !== undefined && !hasEnded(child)) {
      void endProcess(child.pid, spec.stopSignal, spec.stopWithinMs);
    }
  }

  async #launch(supervised: Supervised & { spec: ProcessSpec }, log: LogFile): Promise<Launched> {
    const { spec } = supervised;
    const { child, ended } = await this.#spawn(supervised);
    const loggedReady = Promise.withResolvers<void>();
    const lastLines = collectLines(child, (line) => {
      log.write(line);
      const readable = worthReading(line);
      if (readable !== undefined && !this.#stopping.signal.aborted) this.#tell(`${spec.name}: ${readable}`);
      if ("logged" in spec.readyWhen && line.includes(spec.readyWhen.logged)) loggedReady.resolve();
    });
    const ready = waitUntilReady(spec, loggedReady.promise, ended).catch((error: Error) => {
      throw new Error([error.message, ...lastLines].join("\n"));
    });
    ready.catch(() => {}); // whoever needs it awaits it
    return { ready, ended, startedAt: Date.now() };
  }

  /** The process is recorded and known to the guard before it passes the gate. */
  async #spawn(
    supervised: Supervised,
    input?: string,
  ): Promise<{ child: ChildProcess; ended: Promise<string> }> {
    this.#stopping.signal.throwIfAborted();
    const { spec } = supervised;
    const child = spawn("/bin/sh", ["-c", GATE, "sh", spec.command, ...spec.args], {
      detached: true, // a session of its own: Ctrl-C at the terminal reaches only us, and we stop it in order
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe", "pipe"],
      ...(spec.env && { env: spec.env }),
      ...(spec.cwd && { cwd: spec.cwd }),
      ...(spec.account && { uid: spec.account.uid, gid: spec.account.gid }),
    });
    supervised.child = child;
    const { pid } = child;
    const ended = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      // "close", not "exit": only then have its last lines arrived.
      child.once("close", (code, signal) => {
        if (pid !== undefined) void this.#guard.forget(pid);
        resolve(signal ?? `exit code ${code}`);
      });
    });
    if (pid !== undefined) {
      await this.#guard.add(pid, spec.stopSignal, spec.stopWithinMs);
      child.stdin?.on("error", () => {}).end(input);
      const gate = child.stdio[3];
      if (gate && "write" in gate) gate.on("error", () => {}).end("go\n");
    }
    return { child, ended };
  }
}

type Launched = { ready: Promise<void>; ended: Promise<string>; startedAt: number };

/** Passes on what a child prints, line by line, and keeps the last lines, indented for an error message. */
function collectLines(child: ChildProcess, onLine: (line: string) => void): string[] {
  const lastLines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    const split = splitLines((line) => {
      lastLines.push(`  ${line}`);
      if (lastLines.length > LINES_IN_ERROR) lastLines.shift();
      onLine(line);
    });
    stream?.setEncoding("utf8").on("data", split);
  }
  return lastLines;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
