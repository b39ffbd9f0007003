import { BoxofficeError } from "./errors.ts";

export type BatcherOptions<Item, Result> = {
  maxBatch: number;
  /** How many may wait; more are refused with OVERLOADED. */
  maxQueue: number;
  /** Does the work of one batch. Result `i` belongs to item `i`; when it throws, every item of the batch fails. */
  run(items: Item[]): Promise<Result[]>;
};

const OVERLOADED_RETRY_MS = 1_000;

/**
 * Gathers what arrives while the batch before is worked on, and does it together: the busier, the larger the
 * batches, and no timer. Items are taken in the order of their arrival.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  readonly #queue: Waiting<Item, Result>[] = [];
  #isWorking = false;

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
   * @param signal an item whose signal has aborted by its turn is dropped: its caller has gone
   * @throws BoxofficeError OVERLOADED when too many wait
   */
  submit(item: Item, signal?: AbortSignal): Promise<Result> {
    if (this.#queue.length >= this.#options.maxQueue) {
      const message = "Too many requests are waiting. Try again shortly.";
      return Promise.reject(new BoxofficeError("OVERLOADED", message, { retryAfterMs: OVERLOADED_RETRY_MS }));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, signal, resolve, reject });
      if (this.#isWorking) return;
      this.#isWorking = true;
      setImmediate(() => void this.#work()); // what arrived in the same turn of the event loop comes along
    });
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#options.maxBatch).filter(isWanted);
      if (batch.length > 0) await this.#runBatch(batch);
    }
    this.#isWorking = false;
  }

  async #runBatch(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.run(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new Error("a batch has a result for each of its items");
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

type Waiting<Item, Result> = {
  item: Item;
  signal: AbortSignal | undefined;
  resolve(result: Result): void;
  reject(error: unknown): void;
};

function isWanted<Item, Result>({ signal, reject }: Waiting<Item, Result>): boolean {
  if (!signal?.aborted) return true;
  reject(signal.reason);
  return false;
}
