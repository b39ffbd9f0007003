import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import type { Runtime } from "@boxoffice/platform/runtime.ts";

export type WatchesOptions<Answer> = {
  /** What is left of an event now. */
  read(eventId: string): Promise<Answer>;
  /** Nothing has changed between answers whose bytes are the same. */
  bytesOf(answer: Answer): Uint8Array;
  runtime: Runtime;
  log: Logger;
};

/** Whoever watches an event hears of its changes at most this often. */
const TELL_AT_MOST_EVERY_MS = 100;
/** How long a change may go unnoticed of which no news came: a window that opens, a hold that ends, a broken bus. */
const LOOK_EVERY_MS = 1_000;
/** Whoever watches hears at least this often, so that silence means a broken connection. */
const TELL_AT_LEAST_EVERY_MS = 10_000;

const MAX_EVENTS = 1_000;
const MAX_WATCHERS = 5_000;
const RETRY_AFTER_MS = 5_000;

/** Reads what is left of each event that is watched once for everybody: at news of a change, and every second. */
export class AvailabilityWatches<Answer> {
  readonly #options: WatchesOptions<Answer>;
  readonly #events = new Map<string, WatchedEvent<Answer>>();
  #watchers = 0;

  constructor(options: WatchesOptions<Answer>) {
    this.#options = options;
  }

  /** To be called after a commit, here or in another replica, that changed what is left of the event. */
  changed(eventId: string): void {
    this.#events.get(eventId)?.look();
  }

  /**
   * What is left of the event now, and again whenever it has changed, until `signal` aborts. A slow reader misses
   * what was replaced meanwhile.
   *
   * @throws BoxofficeError EVENT_NOT_FOUND, OVERLOADED
   */
  async *watch(eventId: string, signal: AbortSignal): AsyncGenerator<Answer> {
    if (this.#watchers >= MAX_WATCHERS) throw tooMany();
    this.#watchers++;
    let wake = () => {};
    const waker = () => wake();
    signal.addEventListener("abort", waker);
    try {
      const event = this.#events.get(eventId) ?? this.#follow(eventId, await this.#options.read(eventId));
      event.wakers.add(waker);
      let seen: number | undefined;
      while (!signal.aborted) {
        if (event.number === seen) await new Promise<void>((resolve) => (wake = resolve));
        if (signal.aborted || event.number === seen) continue;
        seen = event.number;
        yield event.latest;
      }
    } finally {
      signal.removeEventListener("abort", waker);
      this.#watchers--;
      this.#leave(eventId, waker);
    }
  }

  #follow(eventId: string, first: Answer): WatchedEvent<Answer> {
    const known = this.#events.get(eventId); // somebody else may have read it at the same time
    if (known !== undefined) return known;
    if (this.#events.size >= MAX_EVENTS) throw tooMany();
    const event = new WatchedEvent(eventId, first, this.#options);
    this.#events.set(eventId, event);
    void event.follow();
    return event;
  }

  #leave(eventId: string, waker: () => void): void {
    const event = this.#events.get(eventId);
    if (!event?.wakers.delete(waker) || event.wakers.size > 0) return;
    this.#events.delete(eventId);
    event.end();
  }
}

/** An event that somebody watches. */
class WatchedEvent<Answer> {
  /** Wake those who watch. */
  readonly wakers = new Set<() => void>();
  latest: Answer;
  /** Rises with everything that they are told. */
  number = 0;
  readonly #eventId: string;
  readonly #options: WatchesOptions<Answer>;
  readonly #ended = new AbortController();
  #news = new AbortController();
  #told: Uint8Array;
  #toldAtMs: number;

  constructor(eventId: string, first: Answer, options: WatchesOptions<Answer>) {
    this.#eventId = eventId;
    this.#options = options;
    this.latest = first;
    this.#told = options.bytesOf(first);
    this.#toldAtMs = options.runtime.nowMs();
  }

  /** There may be something new. */
  look(): void {
    this.#news.abort();
  }

  end(): void {
    this.#ended.abort();
    this.#news.abort();
  }

  /** Reads again and again, and never rejects: while the database is away, those who watch wait. */
  async follow(): Promise<void> {
    const { runtime, log } = this.#options;
    let isFailing = false;
    for (;;) {
      await runtime.sleep(TELL_AT_MOST_EVERY_MS, this.#ended.signal);
      await runtime.sleep(LOOK_EVERY_MS - TELL_AT_MOST_EVERY_MS, this.#news.signal);
      if (this.#ended.signal.aborted) return;
      this.#news = new AbortController(); // before reading: what changes meanwhile is read next time
      try {
        await this.#read();
        isFailing = false;
      } catch (error) {
        if (!isFailing) log.warn({ error }, "cannot read what is left for those who watch it; trying again");
        isFailing = true;
        await runtime.sleep(LOOK_EVERY_MS, this.#ended.signal);
      }
    }
  }

  async #read(): Promise<void> {
    const { read, bytesOf, runtime } = this.#options;
    const answer = await read(this.#eventId);
    const bytes = bytesOf(answer);
    const isDue = runtime.nowMs() >= this.#toldAtMs + TELL_AT_LEAST_EVERY_MS;
    if (!isDue && Buffer.compare(bytes, this.#told) === 0) return;
    this.latest = answer;
    this.#told = bytes;
    this.#toldAtMs = runtime.nowMs();
    this.number++;
    for (const wake of this.wakers) wake();
  }
}

function tooMany(): BoxofficeError {
  const message = "Too many are watching. Ask from time to time instead, or try again shortly.";
  return new BoxofficeError("OVERLOADED", message, { retryAfterMs: RETRY_AFTER_MS });
}
