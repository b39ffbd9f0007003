import type { Runtime } from "@boxoffice/platform/runtime.ts";
import type { Outcome } from "./domain/transitions.ts";
import {
  type ChargeRequest,
  definiteFailure,
  type PaymentProvider,
  type PaymentResult,
} from "./provider/port.ts";

export type ChargeOptions = {
  provider: PaymentProvider;
  runtime: Runtime;
  /** After this the outcome is unknown, in milliseconds. */
  timeoutMs: number;
  /** Called at most once, with what the provider says after that. */
  onLateOutcome(outcome: Outcome): void;
  /** An error nobody expected. Its text is the provider's: it may hold the token, so it goes into no log. */
  onUnexpected(error: unknown): void;
};

/** Asks the provider for the money, once. Never throws: what cannot be told is unknown. */
export async function charge(
  options: ChargeOptions,
  request: Omit<ChargeRequest, "signal">,
): Promise<Outcome> {
  const { provider, runtime, timeoutMs, onLateOutcome, onUnexpected } = options;
  const givenUp = new AbortController();
  const answered = new AbortController();
  const asked = ask(provider, { ...request, signal: givenUp.signal }, (error) => {
    if (!givenUp.signal.aborted) onUnexpected(error);
  });
  const late = Symbol("late");
  const first = await Promise.race([asked, runtime.sleep(timeoutMs, answered.signal).then(() => late)]);
  answered.abort();
  if (typeof first !== "symbol") return first;
  void asked.then((outcome) => {
    if (outcome.kind !== "unknown") onLateOutcome(outcome);
  });
  givenUp.abort(new Error("the provider took too long"));
  return { kind: "unknown" };
}

async function ask(
  provider: PaymentProvider,
  request: ChargeRequest,
  onUnexpected: (error: unknown) => void,
): Promise<Outcome> {
  try {
    const result = await provider.charge(request);
    if (isWhatWasAsked(result, request)) return { kind: "charged" };
    onUnexpected(new Error("the provider charged something else"));
    return { kind: "unknown" };
  } catch (error) {
    const reason = definiteFailure(error);
    if (reason !== undefined) return { kind: "failed", reason };
    onUnexpected(error);
    return { kind: "unknown" };
  }
}

function isWhatWasAsked(result: PaymentResult, { amount, currency }: ChargeRequest): boolean {
  return result?.amount === amount && result.currency === currency;
}
