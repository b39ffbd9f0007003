import {
  BrokenCircuitError,
  type BulkheadPolicy,
  BulkheadRejectedError,
  bulkhead,
  type CircuitBreakerPolicy,
  CircuitState,
  CountBreaker,
  circuitBreaker,
  handleWhenResult,
} from "cockatiel";

export type ProviderLimitsOptions<Answer> = {
  /** How many calls may wait for an answer at a time. */
  maxConcurrent: number;
  /** For how long nobody is asked once most calls have failed, in milliseconds. */
  breakerPauseMs: number;
  /** Whether an answer speaks against the provider. */
  isFault(answer: Answer): boolean;
  /** What is answered in place of a call that is held back. */
  heldBack(why: string): Answer;
  onState(state: BreakerState): void;
};

/** closed: the provider is asked. half open: one call tries it. open: nobody asks it for a while. */
export type BreakerState = "closed" | "half open" | "open";

/** The breaker opens when more than half of the last calls got no answer that can be used. */
const BREAKER = { threshold: 0.5, size: 20, minimumNumberOfCalls: 10 };

/** How many calls go out at a time, and none to a provider that is down. What is held back is so at once. */
export class ProviderLimits<Answer> {
  readonly #options: ProviderLimitsOptions<Answer>;
  readonly #places: BulkheadPolicy;
  readonly #breaker: CircuitBreakerPolicy;

  constructor(options: ProviderLimitsOptions<Answer>) {
    this.#options = options;
    this.#places = bulkhead(options.maxConcurrent);
    const counted = handleWhenResult((answer) => options.isFault(answer as Answer));
    this.#breaker = circuitBreaker(counted, {
      breaker: new CountBreaker(BREAKER),
      halfOpenAfter: options.breakerPauseMs,
    });
    this.#breaker.onStateChange((state) => options.onState(STATES[state]));
  }

  /** @param work answers and never throws */
  async execute(work: () => Promise<Answer>): Promise<Answer> {
    const { heldBack } = this.#options;
    // While one call tries whether the provider is back, cockatiel would let all others wait for it.
    if (this.#breaker.state === CircuitState.HalfOpen) return heldBack("the provider is being tried");
    try {
      return await this.#places.execute(() => this.#breaker.execute(work));
    } catch (error) {
      if (error instanceof BulkheadRejectedError) return heldBack("too many calls at a time");
      if (error instanceof BrokenCircuitError) return heldBack("the provider does not answer");
      throw error;
    }
  }
}

const STATES = {
  [CircuitState.Closed]: "closed",
  [CircuitState.HalfOpen]: "half open",
  [CircuitState.Open]: "open",
  [CircuitState.Isolated]: "open",
} as const satisfies Record<CircuitState, BreakerState>;
