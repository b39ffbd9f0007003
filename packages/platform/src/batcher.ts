import { Code, ConnectError } from "@connectrpc/connect";
import type { SpanContext } from "@opentelemetry/api";
import { BoxofficeError } from "./errors.ts";
import { activeSpan, isTracing, tracedTogether } from "./tracing.ts";

export type BatcherOptions<Item, Result> = {
  maxBatch: number;
  /** How many may wait; more are refused with OVERLOADED. */
  maxQueue: number;
  /** Does the work of one batch. Result `i` belongs to item `i`; when it throws, every item of the batch fails. */
  run(items: Item[]): Promise<Result[]>;
  /** How many batches are worked on at a time; one unless told. */
  concurrency?: number;
  /** The clock by which items are late; this host's unless told. */
  nowMs?: () => number;
};

/** An item whose turn comes after its caller has gone, or after its time, is dropped. */
export type Wanted = {
  signal?: AbortSignal;
  /** The same for a caller to whom a signal would be too dear. */
  isGone?: () => boolean;
  /** In milliseconds since the epoch, by the batcher's clock. */
  untilMs?: number;
};

const OVERLOADED_RETRY_MS = 1_000;

/**
 * Gathers what arrives while the batch before is worked on, and does it together: the busier, the larger the
 * batches, and no timer. Items are taken in the order of their arrival.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  readonly #queue: Waiting<Item, Result>[] = [];
  #working = 0;
  #isStarting = false;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  /** How many wait. */
  get depth(): number {
    return this.#queue.length;
  }

  /**
   * Waits for the item's turn and its result.
   *
   * @throws BoxofficeError OVERLOADED when too many wait
   */
  submit(item: Item, wanted: Wanted = {}): Promise<Result> {
    if (this.#queue.length >= this.#options.maxQueue) {
      const message = "Too many requests are waiting. Try again shortly.";
      return Promise.reject(new BoxofficeError("OVERLOADED", message, { retryAfterMs: OVERLOADED_RETRY_MS }));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, wanted, caller: activeSpan(), resolve, reject });
      this.#start();
    });
  }

  /** What arrives in the same turn of the event loop comes along. */
  #start(): void {
    const { concurrency = 1 } = this.#options;
    if (this.#isStarting || this.#working >= concurrency) return;
    this.#isStarting = true;
    setImmediate(() => {
      this.#isStarting = false;
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    const { maxBatch, nowMs = Date.now } = this.#options;
    this.#working++;
    while (this.#queue.length > 0) {
      const now = nowMs();
      const batch = this.#queue.splice(0, maxBatch).filter((waiting) => isWanted(waiting, now));
      if (this.#queue.length > 0) this.#start();
      if (batch.length > 0) await this.#runBatch(batch);
    }
    this.#working--;
  }

  async #runBatch(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const run = () => this.#options.run(batch.map(({ item }) => item));
      const results = isTracing()
        ? await tracedTogether(
            "batch",
            batch.map(({ caller }) => caller),
            run,
          )
        : await run();
      if (results.length !== batch.length) throw new Error("a batch has a result for each of its items");
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

export type LaneOptions<Item, Result> = BatcherOptions<Item, Result> & {
  /** How many batches are worked on at a time. */
  lanes: number;
  /** A UUID: items with the same one go to the same lane, where they keep their order. */
  keyOf(item: Item): string;
};

/** Several batchers, so that one batch need not wait for another that has nothing to do with it. */
export class Lanes<Item, Result> {
  readonly #lanes: Batcher<Item, Result>[];
  readonly #keyOf: (item: Item) => string;

  constructor(options: LaneOptions<Item, Result>) {
    this.#lanes = Array.from({ length: options.lanes }, () => new Batcher(options));
    this.#keyOf = options.keyOf;
  }

  /** How many wait, in all lanes together. */
  get depth(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.depth, 0);
  }

  /** @throws BoxofficeError OVERLOADED when too many wait in the item's lane */
  submit(item: Item, wanted?: Wanted): Promise<Result> {
    const lane = this.#lanes[laneOf(this.#keyOf(item), this.#lanes.length)];
    if (lane === undefined) throw new Error("there is at least one lane");
    return lane.submit(item, wanted);
  }
}

/** Any spread will do; the last characters of a UUID are its random ones. */
const laneOf = (key: string, lanes: number): number => Number.parseInt(key.slice(-6), 16) % lanes;

type Waiting<Item, Result> = {
  item: Item;
  wanted: Wanted;
  /** Whose trace this is a part of. */
  caller: SpanContext | undefined;
  resolve(result: Result): void;
  reject(error: unknown): void;
};

function isWanted<Item, Result>({ wanted, reject }: Waiting<Item, Result>, nowMs: number): boolean {
  const { signal, isGone, untilMs = Number.POSITIVE_INFINITY } = wanted;
  if (signal?.aborted || isGone?.()) {
    reject(signal?.reason ?? new ConnectError("the caller has gone", Code.Canceled));
    return false;
  }
  if (nowMs < untilMs) return true;
  reject(new ConnectError("the deadline has passed", Code.DeadlineExceeded));
  return false;
}
