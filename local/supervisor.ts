import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { LogFile, splitLines, worthReading } from "./logs.ts";
import { endProcess, ProcessRecord } from "./processes.ts";

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

type Supervised = { spec: ProcessSpec; child: ChildProcess | undefined; looking: Promise<void> };

const BACKOFF_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000];
/** A process that ran this long begins with the shortest backoff again. */
const STEADY_MS = 60_000;
const READY_POLL_MS = 40;
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
  #guard: ChildProcess | undefined;
  readonly #toRemove: string[] = [];
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
  }

  /** Ends what an earlier supervisor of this folder left behind, and starts the guard. Call it first. */
  async begin(): Promise<void> {
    const left = await this.#record.endLeftovers(LEFTOVERS_LIMIT_MS);
    if (left > 0) this.#tell(`Ended ${left} processes that an earlier start left behind.`);
    await this.#startGuard();
  }

  /** Has a folder deleted when everything ended, also where this process is killed before. */
  async removeAfterwards(folder: string): Promise<void> {
    this.#toRemove.push(folder);
    await this.#tellGuard("remove", folder);
  }

  /**
   * Starts a process and resolves when it serves. From then on it is started again whenever it ends.
   *
   * @throws Error with the last lines it logged, where it ended or did not serve in time
   */
  async run(spec: ProcessSpec): Promise<void> {
    const supervised: Supervised = { spec, child: undefined, looking: Promise.resolve() };
    this.#supervised.push(supervised);
    const log = new LogFile(join(this.#folder, "logs", `${spec.name}.log`));
    const first = await this.#launch(supervised, log);
    await first.ready;
    supervised.looking = this.#keepRunning(supervised, log, first);
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
          await Promise.race([looking, delay(2_000)]);
        }),
      );
    }
    this.#guard?.stdin?.end();
  }

  async #keepRunning(supervised: Supervised, log: LogFile, first: Launched): Promise<void> {
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

  async #launch(supervised: Supervised, log: LogFile): Promise<Launched> {
    this.#stopping.signal.throwIfAborted();
    const { spec } = supervised;
    // In a session of its own, so that Ctrl-C at the terminal reaches only us, and we can stop it in order.
    const child = spawn("/bin/sh", ["-c", GATE, "sh", spec.command, ...spec.args], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      ...(spec.env && { env: spec.env }),
      ...(spec.cwd && { cwd: spec.cwd }),
      ...spec.account,
    });
    supervised.child = child;
    const lastLines: string[] = [];
    let seen = (_line: string) => {};
    const onLine = (line: string) => {
      log.write(line);
      lastLines.push(line);
      if (lastLines.length > LINES_IN_ERROR) lastLines.shift();
      const readable = worthReading(line);
      if (readable !== undefined && !this.#stopping.signal.aborted) this.#tell(`${spec.name}: ${readable}`);
      seen(line);
    };
    child.stdout?.setEncoding("utf8").on("data", splitLines(onLine));
    child.stderr?.setEncoding("utf8").on("data", splitLines(onLine));

    const { pid } = child;
    const ended = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      // "close", not "exit": only then have its last lines arrived.
      child.once("close", (code, signal) => {
        if (pid !== undefined) void this.#tellGuard("forget", pid);
        resolve(signal ?? `exit code ${code}`);
      });
    });
    const loggedReady = new Promise<void>((resolve) => {
      seen = (line) => {
        if ("logged" in spec.readyWhen && line.includes(spec.readyWhen.logged)) resolve();
      };
    });
    if (pid !== undefined) {
      this.#record.add(pid, spec.stopSignal);
      await this.#tellGuard("add", pid, spec.stopSignal);
      const gate = child.stdio[3];
      if (gate && "write" in gate) gate.on("error", () => {}).end("go\n");
    }
    const ready = waitUntilReady(spec, loggedReady, ended).catch((error: Error) => {
      throw new Error([error.message, ...lastLines.map((line) => `  ${line}`)].join("\n"));
    });
    ready.catch(() => {}); // whoever needs it awaits it
    return { ready, ended, startedAt: Date.now() };
  }

  async #startGuard(): Promise<void> {
    const guard = spawn(process.execPath, [fileURLToPath(new URL("guard.ts", import.meta.url))], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#guard = guard;
    guard.stdin?.on("error", () => {});
    guard.once("exit", () => {
      if (!this.#stopping.signal.aborted) void this.#startGuard();
    });
    if (guard.pid !== undefined) this.#record.add(guard.pid, "SIGTERM");
    for (const { child, spec } of this.#supervised) {
      if (child?.pid !== undefined && !hasEnded(child)) await this.#tellGuard("add", child.pid, spec.stopSignal);
    }
    for (const folder of this.#toRemove) await this.#tellGuard("remove", folder);
  }

  /** Resolves when the words are in the pipe, where they are safe even if this process dies at once. */
  #tellGuard(...words: (string | number)[]): Promise<void> {
    const stdin = this.#guard?.stdin;
    return new Promise((resolve) => {
      if (!stdin?.writable) return resolve();
      stdin.write(`${JSON.stringify(words)}\n`, () => resolve());
    });
  }
}

type Launched = { ready: Promise<void>; ended: Promise<string>; startedAt: number };

async function waitUntilReady(spec: ProcessSpec, logged: Promise<void>, ended: Promise<string>): Promise<void> {
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const serves = "ok" in spec.readyWhen ? answersOk(spec.readyWhen.ok, signal) : logged;
  const early = ended.then((end) => {
    throw new Error(`${spec.name} ended before it was ready (${end}). It logged:`);
  });
  const late = delay(spec.readyWithinMs, undefined, { signal }).then(() => {
    throw new Error(`${spec.name} was not ready within ${spec.readyWithinMs / 1000} s. It logged:`);
  });
  late.catch(() => {});
  try {
    await Promise.race([serves, early, late]);
  } finally {
    giveUp.abort();
  }
}

async function answersOk(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(2_000)]);
    const ok = await fetch(url, { signal: limit }).then(
      async (response) => {
        await response.body?.cancel();
        return response.ok;
      },
      () => false,
    );
    if (ok) return;
    await delay(READY_POLL_MS, undefined, { signal }).catch(() => {});
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
