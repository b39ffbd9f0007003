import { setImmediate as nextTurn } from "node:timers/promises";
import { BoxofficeError, toConnectError } from "@boxoffice/platform/errors.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import type { Runtime } from "@boxoffice/platform/runtime.ts";
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { Snapshot } from "./snapshot.ts";

/** Somebody who watches. */
export type Viewer = {
  /** The bearer with which they came, where one was needed. */
  readonly authorization: string | undefined;
  /** Shows how things are now. What was shown before need not be sent any more. */
  show(snapshot: Snapshot): void;
  /** Ends it, with the reason where there is one. */
  end(error?: unknown): void;
  /** Rejects when they may not watch any longer. */
  recheck(): Promise<void>;
};

/** Where a feed comes from: the service's stream, whose every message tells the whole state. */
export type Source = {
  /** Feeds with the same key are the same. */
  key: string;
  output: DescMessage;
  open(authorization: string | undefined, signal: AbortSignal): AsyncIterable<Message>;
};

export type FeedsOptions = { runtime: Runtime; log: Logger };

/** Viewers hear of changes at most this often. */
const TELL_AT_MOST_EVERY_MS = 100;
/** And at least this often, also while the service is away. The service itself repeats what it said every 10 s. */
const TELL_AT_LEAST_EVERY_MS = 15_000;

/** How often bearers are looked at again: they expire. */
const RECHECK_EVERY_MS = 30_000;
const TICK_MS = 5_000;

/** Viewers that are told in one go, before whoever else waits for this process has a turn. */
const TELL_IN_ONE_GO = 100;

const MIN_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 2_000;

/** Viewers who are sent away come back within this, not all at once. */
const COME_BACK_WITHIN_MS = 3_000;

const MAX_FEEDS = 5_000;

/** Live streams: one from the service for each event that is watched, shown to however many watch it. */
export class Feeds {
  readonly #options: FeedsOptions;
  readonly #feeds = new Map<string, Feed>();
  readonly #ticking: NodeJS.Timeout;
  #isClosed = false;

  constructor(options: FeedsOptions) {
    this.#options = options;
    this.#ticking = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** How many streams from services are open. */
  get size(): number {
    return this.#feeds.size;
  }

  /**
   * Adds a viewer, who sees how things are at once, or as soon as it is known.
   *
   * @returns what takes the viewer out again
   * @throws BoxofficeError OVERLOADED
   */
  watch(source: Source, viewer: Viewer): () => void {
    if (this.#isClosed) throw comeBack();
    const known = this.#feeds.get(source.key);
    const feed = known ?? this.#open(source);
    feed.join(viewer);
    if (known === undefined) void feed.follow().then(() => this.#remove(feed));
    return () => {
      feed.leave(viewer);
      if (feed.isEmpty) this.#remove(feed);
    };
  }

  /** Sends every viewer away, to come back to another gateway. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#ticking);
    for (const feed of this.#feeds.values()) {
      feed.endAll(comeBack);
      feed.stop();
    }
    this.#feeds.clear();
  }

  #open(source: Source): Feed {
    if (this.#feeds.size >= MAX_FEEDS) {
      const message = "Too many events are watched. Ask from time to time instead, or try again shortly.";
      throw new BoxofficeError("OVERLOADED", message, { retryAfterMs: COME_BACK_WITHIN_MS });
    }
    const feed = new Feed(source, this.#options);
    this.#feeds.set(source.key, feed);
    return feed;
  }

  #remove(feed: Feed): void {
    feed.stop();
    if (this.#feeds.get(feed.key) === feed) this.#feeds.delete(feed.key);
  }

  #tick(): void {
    const nowMs = this.#options.runtime.nowMs();
    for (const feed of this.#feeds.values()) feed.tick(nowMs);
  }
}

/** One stream from a service, and those who watch it. */
class Feed {
  readonly key: string;
  readonly #source: Source;
  readonly #options: FeedsOptions;
  readonly #viewers = new Set<Viewer>();
  readonly #stopped = new AbortController();
  /** How things are. */
  #latest: Snapshot | undefined;
  /** Whether that is known to be so now. While the service is away, only those who watch already are shown it. */
  #isLive = false;
  #hasNews = false;
  #isTelling = false;
  #toldAtMs = 0;
  #recheckAtMs: number;

  constructor(source: Source, options: FeedsOptions) {
    this.key = source.key;
    this.#source = source;
    this.#options = options;
    this.#recheckAtMs = options.runtime.nowMs() + RECHECK_EVERY_MS;
  }

  get isEmpty(): boolean {
    return this.#viewers.size === 0;
  }

  join(viewer: Viewer): void {
    this.#viewers.add(viewer);
    if (this.#isLive && this.#latest !== undefined) viewer.show(this.#latest);
  }

  leave(viewer: Viewer): void {
    this.#viewers.delete(viewer);
  }

  stop(): void {
    this.#stopped.abort();
  }

  endAll(errorOf: () => unknown): void {
    for (const viewer of [...this.#viewers]) this.#end(viewer, errorOf());
  }

  #end(viewer: Viewer, error: unknown): void {
    this.leave(viewer);
    viewer.end(error);
  }

  /** Keeps a stream from the service open for as long as somebody watches. Never rejects. */
  async follow(): Promise<void> {
    const { runtime } = this.#options;
    const { signal } = this.#stopped;
    let backoffMs = MIN_BACKOFF_MS;
    while (!signal.aborted && !this.isEmpty) {
      const authorization = this.#someBearer();
      try {
        for await (const message of this.#source.open(authorization, signal)) {
          backoffMs = MIN_BACKOFF_MS;
          this.#take(new Snapshot(this.#source.output, message));
        }
      } catch (error) {
        if (!signal.aborted) this.#endWhomItConcerns(error, authorization);
      }
      this.#isLive = false;
      await runtime.sleep(backoffMs * (0.5 + Math.random() / 2), signal);
      backoffMs = Math.min(2 * backoffMs, MAX_BACKOFF_MS);
    }
  }

  tick(nowMs: number): void {
    if (this.#latest !== undefined && nowMs - this.#toldAtMs >= TELL_AT_LEAST_EVERY_MS) {
      this.#latest = this.#latest.again();
      this.#hasNews = true;
      void this.#tell();
    }
    if (nowMs < this.#recheckAtMs) return;
    this.#recheckAtMs = nowMs + RECHECK_EVERY_MS;
    for (const viewer of this.#viewers) viewer.recheck().catch((error: unknown) => this.#end(viewer, error));
  }

  /** All who watch may see the same, so the service is shown the bearer of any one of them. */
  #someBearer(): string | undefined {
    const [viewer] = this.#viewers;
    return viewer?.authorization;
  }

  #take(snapshot: Snapshot): void {
    this.#latest = snapshot;
    this.#isLive = true;
    this.#hasNews = true;
    void this.#tell();
  }

  /** One round at a time; what arrives meanwhile is told in the next. */
  async #tell(): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    const { runtime } = this.#options;
    while (this.#hasNews && !this.#stopped.signal.aborted) {
      this.#hasNews = false;
      this.#toldAtMs = runtime.nowMs();
      await this.#tellAll();
      const restMs = this.#toldAtMs + TELL_AT_MOST_EVERY_MS - runtime.nowMs();
      if (restMs > 0) await runtime.sleep(restMs, this.#stopped.signal);
    }
    this.#isTelling = false;
  }

  async #tellAll(): Promise<void> {
    let told = 0;
    for (const viewer of [...this.#viewers]) {
      if (this.#latest !== undefined && this.#viewers.has(viewer)) viewer.show(this.#latest);
      if (++told % TELL_IN_ONE_GO === 0) await nextTurn();
    }
  }

  /** A service that is away, or overloaded, is tried again; what it refuses, it will refuse again. */
  #endWhomItConcerns(error: unknown, authorization: string | undefined): void {
    const { code } = toConnectError(error);
    if (TRANSIENT.has(code)) {
      if (this.#isLive) this.#options.log.info({ error }, "a live stream was interrupted; it is resumed");
      return;
    }
    const isOnes = code === Code.Unauthenticated || code === Code.PermissionDenied;
    for (const viewer of [...this.#viewers]) {
      if (!isOnes || viewer.authorization === authorization) this.#end(viewer, error);
    }
  }
}

const TRANSIENT: ReadonlySet<Code> = new Set([
  Code.Aborted,
  Code.Canceled,
  Code.DeadlineExceeded,
  Code.Internal,
  Code.ResourceExhausted,
  Code.Unavailable,
  Code.Unknown,
]);

function comeBack(): BoxofficeError {
  const retryAfterMs = Math.ceil(Math.random() * COME_BACK_WITHIN_MS);
  return new BoxofficeError("OVERLOADED", "This gateway is stopping. Connect again.", { retryAfterMs });
}
