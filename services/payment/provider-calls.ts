import type { Logger } from "@boxoffice/platform/log.ts";
import { type Runtime, within } from "@boxoffice/platform/runtime.ts";
import type { Outcome } from "./domain/transitions.ts";
import { breakerState, providerCallSeconds, providerCalls } from "./metrics.ts";
import {
  type ChargeRequest,
  definiteFailure,
  NotSentError,
  type PaymentProvider,
  type PaymentResult,
} from "./provider/port.ts";
import { ProviderLimits } from "./provider-limits.ts";

export type ProviderCallsOptions = {
  provider: PaymentProvider;
  runtime: Runtime;
  log: Logger;
  /** How long a call may take before its outcome is unknown, in milliseconds. */
  timeoutMs: number;
  /** How many charges may wait for an answer at a time; 500 unless told. */
  maxConcurrent?: number;
  /** For how long nobody is asked once most calls have failed, in milliseconds; 5,000 unless told. */
  breakerPauseMs?: number;
};

/** Of whose money a call is, as logs speak of it. */
export type About = { reservation_ref: string };

/** What became of a call. An error's text is the provider's: it may hold the token, so only its name is kept. */
type Answer<T> =
  | { kind: "answered"; value: T }
  | { kind: "refused"; error: unknown }
  | { kind: "unknown"; errorName: string; late?: Promise<Answer<T>> };

/** A call that took too long is listened to for so much longer: what it says then still counts. */
const LATE_MS = 60_000;

/** How many calls are listened to that long; more are given up at once. */
const MAX_LATE = 1_000;

/**
 * What the box office asks of its payment provider, within limits of time and number. Nothing here throws: what
 * cannot be told is unknown, and what the limits hold back was certainly not sent.
 */
export class ProviderCalls {
  readonly #options: ProviderCallsOptions;
  /**
   * Of charges: buyers wait for them, and whatever happens to the other calls is not to hold them back. Those are made
   * in the background, by a completer that takes its time between two tries.
   */
  readonly #limits: ProviderLimits<Answer<unknown>>;
  #late = 0;

  constructor(options: ProviderCallsOptions) {
    this.#options = options;
    this.#limits = limitsOf(options);
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  /** Whether the provider can tell what became of a charge. */
  get canLookUp(): boolean {
    return this.#options.provider.lookup !== undefined;
  }

  /**
   * Asks for the money, once.
   *
   * @param onLate told what the provider says after the time is over, if it still does
   */
  async charge(
    request: Omit<ChargeRequest, "signal">,
    about: About,
    onLate: (outcome: Outcome) => void,
  ): Promise<Outcome> {
    const { provider, log } = this.#options;
    const outcomeOf = (answer: Answer<PaymentResult>) => toOutcome(answer, request);
    const answer = await this.#call("charge", (signal) => provider.charge({ ...request, signal }));
    const outcome = outcomeOf(answer);
    if (outcome.kind !== "unknown") return outcome;
    const errorName = answer.kind === "unknown" ? answer.errorName : "WrongAmountError";
    log.error({ ...about, error_name: errorName }, "the outcome of a charge is unknown");
    if (answer.kind === "unknown") {
      void answer.late?.then(outcomeOf).then((late) => {
        if (late.kind !== "unknown") onLate(late);
      });
    }
    return outcome;
  }

  /** What became of a charge; undefined where the provider cannot tell, or not now. */
  async lookUp(idempotencyKey: string, about: About): Promise<Outcome | undefined> {
    const { provider, log } = this.#options;
    if (provider.lookup === undefined) return undefined;
    const answer = await this.#call("lookup", async (signal) => provider.lookup?.(idempotencyKey, signal));
    if (answer.kind !== "answered") {
      const error_name = nameOf(answer);
      log.warn({ ...about, error_name }, "the provider cannot be asked what became of a charge");
      return undefined;
    }
    if (answer.value === "charged") return { kind: "charged" };
    return answer.value === "failed" ? { kind: "failed", reason: "PAYMENT_FAILED" } : undefined;
  }

  /** Has the whole amount of a charge given back. @returns false where that is not known: then it is asked again */
  async refund(idempotencyKey: string, about: About): Promise<boolean> {
    const { provider, log } = this.#options;
    if (provider.refund === undefined) return false; // an operator gives it back, and says so
    const answer = await this.#call("refund", async (signal) => provider.refund?.(idempotencyKey, signal));
    if (answer.kind === "answered") return true;
    log.warn({ ...about, error_name: nameOf(answer) }, "money was not given back yet; it is asked for again");
    return false;
  }

  async #call<T>(
    call: "charge" | "lookup" | "refund",
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<Answer<T>> {
    const { runtime } = this.#options;
    const startedAtMs = runtime.nowMs();
    const timed = () => this.#timed(work);
    const answer = call === "charge" ? ((await this.#limits.execute(timed)) as Answer<T>) : await timed();
    const isSent = !isUnsent(answer);
    providerCalls.inc({ call, outcome: isSent ? answer.kind : "not_sent" });
    if (isSent) providerCallSeconds.observe({ call }, (runtime.nowMs() - startedAtMs) / 1000);
    return answer;
  }

  async #timed<T>(work: (signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
    const { runtime, timeoutMs } = this.#options;
    const givenUp = new AbortController();
    const asked = settle(work, givenUp.signal);
    const inTime = await within(runtime, timeoutMs, asked);
    if (inTime !== undefined) return inTime;
    void this.#listen(asked, givenUp);
    return { kind: "unknown", errorName: "TimeoutError", late: asked };
  }

  async #listen(asked: Promise<unknown>, givenUp: AbortController): Promise<void> {
    if (this.#late < MAX_LATE) {
      this.#late++;
      await within(this.#options.runtime, LATE_MS, asked);
      this.#late--;
    }
    givenUp.abort(new Error("the provider took too long"));
  }
}

function limitsOf(options: ProviderCallsOptions): ProviderLimits<Answer<unknown>> {
  const { log, maxConcurrent = 500, breakerPauseMs = 5_000 } = options;
  breakerState.set(0);
  return new ProviderLimits({
    maxConcurrent,
    breakerPauseMs,
    isFault: (answer) =>
      answer.kind === "unknown" || (answer.kind === "refused" && isUnavailable(answer.error)),
    heldBack: (why) => ({ kind: "refused", error: new NotSentError(why) }),
    onState: (state) => {
      breakerState.set({ closed: 0, "half open": 1, open: 2 }[state]);
      if (state === "open")
        log.error("the payment provider does not answer; for a while it is not asked for money");
      if (state === "closed") log.info("the payment provider answers again");
    },
  });
}

async function settle<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<Answer<T>> {
  try {
    return { kind: "answered", value: await work(signal) };
  } catch (error) {
    if (definiteFailure(error) !== undefined) return { kind: "refused", error };
    return { kind: "unknown", errorName: error instanceof Error ? error.name : typeof error };
  }
}

function toOutcome(
  answer: Answer<PaymentResult>,
  { amount, currency }: Omit<ChargeRequest, "signal">,
): Outcome {
  if (answer.kind === "refused") {
    return { kind: "failed", reason: definiteFailure(answer.error) ?? "PAYMENT_FAILED" };
  }
  const isAsAsked =
    answer.kind === "answered" && answer.value?.amount === amount && answer.value.currency === currency;
  return { kind: isAsAsked ? "charged" : "unknown" };
}

/** No way to the provider, or no entry. A card that was declined does not speak against it. */
const isUnavailable = (error: unknown): boolean => definiteFailure(error) === "DEPENDENCY_UNAVAILABLE";

const isUnsent = (answer: Answer<unknown>): boolean =>
  answer.kind === "refused" && answer.error instanceof NotSentError;

const nameOf = (answer: Exclude<Answer<unknown>, { kind: "answered" }>): string =>
  answer.kind === "unknown" ? answer.errorName : String((answer.error as Error).name);
