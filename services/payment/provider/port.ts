import type { Reason } from "@boxoffice/platform/errors.ts";

/** What the box office needs of a payment company: a charge made by a server, with an idempotency key. */
export type PaymentProvider = {
  /**
   * Takes the money. What it throws decides what becomes of the hold: see {@link definiteFailure}. It is called
   * once per payment; the same key may never charge twice.
   */
  charge(request: ChargeRequest): Promise<PaymentResult>;
  /** What became of a charge, where the provider can tell. `not_found` proves nothing: the charge may be on its way. */
  lookup?(idempotencyKey: string, signal: AbortSignal): Promise<"charged" | "failed" | "not_found">;
  /**
   * Gives the whole amount of a charge back, and resolves once that is certain. Repeated, it does so once: whatever
   * it throws, it is asked again with the same key.
   */
  refund?(idempotencyKey: string, signal: AbortSignal): Promise<void>;
};

export type ChargeRequest = {
  /** In minor units of the currency: cents for EUR. */
  amount: bigint;
  /** ISO 4217. */
  currency: string;
  /** One-time, for the buyer's card. */
  token: string;
  idempotencyKey: string;
  /** Aborts when nobody waits for the answer any more. */
  signal: AbortSignal;
};

export type PaymentResult = { readonly amount: bigint; readonly currency: string };

/** The card was refused. No money moved. */
export class CardError extends Error {
  override readonly name = "CardError";
}

/** The provider refused the payment. No money moved. */
export class PaymentError extends Error {
  override readonly name = "PaymentError";
}

/** The provider does not take this currency. No money moved. */
export class CurrencyError extends Error {
  override readonly name = "CurrencyError";
}

/** The provider was not asked: no connection, or too many calls already. Never thrown once a byte was sent. */
export class NotSentError extends Error {
  override readonly name = "NotSentError";
}

/** The provider answered that it did not look at the request: a wrong key, too many requests. No money moved. */
export class TurnedAwayError extends Error {
  override readonly name = "TurnedAwayError";
}

/**
 * Which errors of a charge are definite: no money moved, and the hold is given back. This is the whole list.
 * From the first byte on, everything else (a timeout, a lost connection, an answer that makes no sense, an error
 * nobody expected) leaves the outcome unknown: the money may have moved, and the seat is kept.
 *
 * @returns the reason the buyer is told, or undefined when the outcome is unknown
 */
export function definiteFailure(error: unknown): Reason | undefined {
  if (error instanceof CardError) return "CARD_DECLINED";
  if (error instanceof PaymentError) return "PAYMENT_FAILED";
  if (error instanceof CurrencyError) return "CURRENCY_NOT_SUPPORTED";
  if (error instanceof NotSentError || error instanceof TurnedAwayError) return "DEPENDENCY_UNAVAILABLE";
  return undefined;
}
