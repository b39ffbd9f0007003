import { LRUCache } from "lru-cache";

/** How much of its seconds' worth a client who was quiet may use at once. A crowd behind one address comes in bursts. */
const BURST_SECONDS = 10;

const MAX_CLIENTS = 100_000;

/** Sums of times with fractions of a millisecond are off by less than this. */
const ROUNDING = 1e-6;

export type Allowance = {
  isAllowed: boolean;
  /** How many more requests are allowed at once. */
  left: number;
  /** When the next one is, in milliseconds from now; 0 where one is allowed. */
  retryAfterMs: number;
};

/**
 * A token bucket for each client, kept as one number: the time at which it will be full again. A request moves that
 * time on by what it costs, and is refused where it would come to lie too far ahead.
 */
export class RateLimit {
  /** What a client may do at once. */
  readonly burst: number;
  readonly #intervalMs: number;
  readonly #windowMs: number;
  readonly #fullAtMs: LRUCache<string, number>;

  /**
   * @param perSecond what each client may do for ever
   * @param maxClients who are remembered; beyond them, those are forgotten who were quiet longest
   */
  constructor(perSecond: number, maxClients = MAX_CLIENTS) {
    this.#fullAtMs = new LRUCache({ max: maxClients });
    this.burst = perSecond * BURST_SECONDS;
    this.#intervalMs = 1_000 / perSecond;
    this.#windowMs = BURST_SECONDS * 1_000;
  }

  /** What clients are told of it, as the field RateLimit-Policy has it. */
  get policy(): string {
    return `"requests";q=${this.burst};w=${BURST_SECONDS}`;
  }

  /** @param cost in requests */
  take(client: string, cost: number, nowMs: number): Allowance {
    const fullAtMs = Math.max(nowMs, this.#fullAtMs.get(client) ?? 0);
    const nextFullAtMs = fullAtMs + cost * this.#intervalMs;
    const excessMs = nextFullAtMs - nowMs - this.#windowMs;
    if (excessMs > ROUNDING) return { isAllowed: false, left: 0, retryAfterMs: Math.ceil(excessMs) };
    this.#fullAtMs.set(client, nextFullAtMs);
    const left = Math.floor((nowMs + this.#windowMs - nextFullAtMs) / this.#intervalMs + ROUNDING);
    return { isAllowed: true, left, retryAfterMs: 0 };
  }
}
