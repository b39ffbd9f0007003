import { tuneCollector } from "./collector.ts";
import { ConfigError } from "./config.ts";
import type { Logger } from "./log.ts";

/** How long a process may take to drain before it ends anyway, in milliseconds. */
const STOP_LIMIT_MS = 15_000;

/** What a process holds: each part is registered when it is acquired, and released in reverse order. */
export class Lifecycle {
  readonly #releases: { name: string; release: () => Promise<void> | void }[] = [];
  readonly #stopping = new AbortController();
  readonly #log: Logger;
  #stopped: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Aborts when the process begins to stop: loops end, and new work is refused. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Registers how to release what was just acquired. */
  onStop(name: string, release: () => Promise<void> | void): void {
    this.#releases.push({ name, release });
  }

  /** Runs a loop until the process stops. A loop that fails ends the process: nothing runs unsupervised. */
  supervise(name: string, loop: (signal: AbortSignal) => Promise<void>): void {
    const running = loop(this.signal).catch((error: unknown) => {
      if (this.signal.aborted) return;
      queueMicrotask(() => {
        throw new Error(`${name} failed`, { cause: error });
      });
    });
    this.onStop(name, () => running);
  }

  /** Releases everything, last acquired first. Calling it again waits for the same end. */
  stop(): Promise<void> {
    this.#stopped ??= this.#releaseAll();
    return this.#stopped;
  }

  async #releaseAll(): Promise<void> {
    this.#stopping.abort(new Error("the process is stopping"));
    for (const { name, release } of this.#releases.reverse()) {
      try {
        await release();
      } catch (error) {
        this.#log.error({ error, part: name }, "could not be released");
      }
    }
  }
}

/**
 * Runs a process: starts it, keeps it until SIGTERM or SIGINT, drains, and ends with 0. A wrong setting ends
 * it with a sentence and 2; a promise nobody awaited, an exception nobody caught, or a failed start, with 1.
 */
export async function runProcess(log: Logger, start: (lifecycle: Lifecycle) => Promise<void>): Promise<void> {
  tuneCollector();
  const lifecycle = new Lifecycle(log);
  const end = async (exitCode?: number) => {
    if (exitCode !== undefined) process.exitCode = exitCode;
    const limit = setTimeout(() => {
      log.error("draining took too long; the process ends now");
      process.exit(1);
    }, STOP_LIMIT_MS);
    limit.unref();
    await lifecycle.stop();
    log.info("stopped");
    process.exit();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      log.info({ signal }, "stopping");
      void end();
    });
  }
  const die = (message: string) => (error: unknown) => {
    log.fatal({ error }, message);
    void end(1);
  };
  process.on("unhandledRejection", die("a promise was rejected and nobody awaited it"));
  process.on("uncaughtException", die("an exception was not caught"));
  try {
    await start(lifecycle);
    if (lifecycle.signal.aborted) await end();
  } catch (error) {
    if (error instanceof ConfigError) {
      process.stderr.write(`${error.message}\n`);
      await end(2);
    } else {
      log.fatal({ error }, "could not start");
      await end(1);
    }
  }
}
