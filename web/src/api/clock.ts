/**
 * What the time is for the box office, as far as its answers tell: no page trusts the clock of the machine that
 * shows it. Times are milliseconds since 1970.
 */
export class ServerClock {
  readonly #monotonicMs: () => number;
  #offsetMs = Number.NEGATIVE_INFINITY;

  /** @param monotonicMs a clock that is never set: `performance.now` */
  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /**
   * Learns from the `Date` of an answer. It is cut to the second, and old where a cache answered: so the latest
   * that any answer suggests is closest to the truth.
   */
  observe(dateHeader: string | null): void {
    const toldMs = Date.parse(dateHeader ?? "");
    if (!Number.isNaN(toldMs)) this.#offsetMs = Math.max(this.#offsetMs, toldMs - this.#monotonicMs());
  }

  /** @returns undefined before the first answer */
  nowMs(): number | undefined {
    return Number.isFinite(this.#offsetMs) ? this.#monotonicMs() + this.#offsetMs : undefined;
  }
}

export const serverClock = new ServerClock(() => performance.now());
