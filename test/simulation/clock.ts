import type { Backends } from "./backends.ts";

/** When every simulation begins, in milliseconds since the epoch. */
const START_MS = Date.UTC(2026, 0, 1, 9);

/**
 * The database's time, which stands still until it is moved. Both schemas read it: it is the value of a sequence,
 * which is seen at once by everybody, whatever their transactions see of the tables.
 */
export class Clock {
  readonly #backends: Backends;
  #nowMs = START_MS;

  private constructor(backends: Backends) {
    this.#backends = backends;
  }

  static async start(backends: Backends): Promise<Clock> {
    await backends.setClock(START_MS);
    return new Clock(backends);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get sinceStartMs(): number {
    return this.#nowMs - START_MS;
  }

  /** Never back. */
  async moveTo(ms: number): Promise<void> {
    if (ms <= this.#nowMs) return;
    this.#nowMs = ms;
    await this.#backends.setClock(ms);
  }
}
