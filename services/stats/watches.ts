import type { Database } from "@boxoffice/platform/database.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import type { Runtime } from "@boxoffice/platform/runtime.ts";
import {
  type AsOf,
  type EventStats,
  readEventStats,
  readRevision,
  readSomeEventStats,
} from "./store/read.ts";

/** Whoever watches an event hears of its changes at most this often. */
const LOOK_EVERY_MS = 300;
/** Even if nothing was counted, hours move on. */
const READ_EVERY_MS = 5_000;
/** Whoever watches hears at least this often that nothing has changed. */
const TELL_EVERY_MS = 10_000;

/** One read covers all events that are watched. */
const MAX_EVENTS = 200;
const MAX_WATCHERS = 2_000;

export type WatchesOptions = { database: Database; runtime: Runtime; log: Logger };

/** An event that somebody watches. */
type Watched = {
  /** What the watchers were told last, and when; not set before it was read for the first of them. */
  latest?: AsOf<EventStats>;
  told?: string;
  toldAtMs: number;
  /** Rises with everything that they are told. */
  number: number;
  wakers: Set<() => void>;
};

/** Reads the statistics of all events that are watched, once for everybody, and hands them to whoever watches. */
export class Watches {
  readonly #options: WatchesOptions;
  readonly #watched = new Map<string, Watched>();
  #watchers = 0;

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /**
   * The event's statistics now, and whenever they have changed, until `signal` aborts. A slow reader misses what was
   * replaced meanwhile.
   *
   * @throws BoxofficeError EVENT_NOT_FOUND, OVERLOADED
   */
  async *watch(eventId: string, signal: AbortSignal): AsyncGenerator<AsOf<EventStats>> {
    if (this.#watchers >= MAX_WATCHERS) throw tooMany();
    this.#watchers++;
    let wake = () => {};
    const waker = () => wake();
    signal.addEventListener("abort", waker);
    try {
      const watched = this.#enter(eventId, waker); // before reading, so that what changes meanwhile is told
      const first = await readEventStats(this.#options.database, eventId);
      this.#take(watched, first);
      let seen = watched.number;
      yield watched.latest ?? first;
      while (!signal.aborted) {
        if (watched.number === seen) await new Promise<void>((resolve) => (wake = resolve));
        if (signal.aborted || watched.number === seen) continue;
        seen = watched.number;
        if (watched.latest) yield watched.latest;
      }
    } finally {
      signal.removeEventListener("abort", waker);
      this.#watchers--;
      this.#leave(eventId, waker);
    }
  }

  /** Follows what is watched until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { runtime, database, log } = this.#options;
    let revision: bigint | undefined;
    let readAtMs = 0;
    let isFailing = false;
    while (!signal.aborted) {
      try {
        if (this.#watched.size > 0) {
          const now = await readRevision(database);
          if (now !== revision || runtime.nowMs() >= readAtMs + READ_EVERY_MS) {
            await this.#read();
            revision = now;
            readAtMs = runtime.nowMs();
          }
        }
        isFailing = false;
      } catch (error) {
        if (!isFailing) log.warn({ error }, "cannot read statistics for those who watch them; trying again");
        isFailing = true;
      }
      await runtime.sleep(LOOK_EVERY_MS, signal);
    }
  }

  async #read(): Promise<void> {
    const { database, runtime } = this.#options;
    const { value, ...moment } = await readSomeEventStats(database, [...this.#watched.keys()]);
    for (const [eventId, stats] of value) {
      const watched = this.#watched.get(eventId);
      if (watched === undefined) continue;
      const isDue = runtime.nowMs() >= watched.toldAtMs + TELL_EVERY_MS;
      this.#take(watched, { value: stats, ...moment }, isDue);
    }
  }

  /** Tells the watchers what was read, unless something newer was read meanwhile, or they know. */
  #take(watched: Watched, read: AsOf<EventStats>, isDue = false): void {
    if (watched.latest && read.revision < watched.latest.revision) return;
    const text = textOf(read.value);
    watched.latest = read;
    if (text === watched.told && !isDue) return;
    watched.told = text;
    watched.toldAtMs = this.#options.runtime.nowMs();
    watched.number++;
    for (const wake of watched.wakers) wake();
  }

  #enter(eventId: string, waker: () => void): Watched {
    const known = this.#watched.get(eventId);
    if (known === undefined && this.#watched.size >= MAX_EVENTS) throw tooMany();
    const watched = known ?? { toldAtMs: this.#options.runtime.nowMs(), number: 0, wakers: new Set() };
    watched.wakers.add(waker);
    this.#watched.set(eventId, watched);
    return watched;
  }

  #leave(eventId: string, waker: () => void): void {
    const watched = this.#watched.get(eventId);
    watched?.wakers.delete(waker);
    if (watched?.wakers.size === 0) this.#watched.delete(eventId);
  }
}

function tooMany(): BoxofficeError {
  return new BoxofficeError("OVERLOADED", "Too many are watching. Try again shortly.", {
    retryAfterMs: 5_000,
  });
}

const textOf = (stats: EventStats): string =>
  JSON.stringify(stats, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
