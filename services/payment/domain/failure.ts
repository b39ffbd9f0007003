import { BoxofficeError, type Reason } from "@boxoffice/platform/errors.ts";
import type { Payment } from "./payment.ts";

const RETRY_AFTER_MS = 1_000;

/**
 * How a failed payment is told, the first time and whenever its order comes again. The provider's own messages
 * are the contract's.
 *
 * @param currencyCode as the order named it
 */
export function failureError(payment: Payment, currencyCode: string): BoxofficeError {
  const reason = payment.failureReason ?? "PAYMENT_FAILED";
  const message = MESSAGES[reason] ?? "This payment failed. Nothing was charged.";
  return new BoxofficeError(
    reason,
    message.replace("{currency}", () => currencyCode),
    {
      metadata: SPEAKS_OF_ANOTHER.includes(reason) ? {} : { payment_id: payment.paymentId },
      ...(reason === "DEPENDENCY_UNAVAILABLE" && { retryAfterMs: RETRY_AFTER_MS }),
    },
  );
}

/** Nothing was charged and the hold is as it was. */
export function nothingHappened(cause?: unknown): BoxofficeError {
  return new BoxofficeError("DEPENDENCY_UNAVAILABLE", UNAVAILABLE, { retryAfterMs: RETRY_AFTER_MS, cause });
}

const UNAVAILABLE = "Payments cannot be made right now. Nothing was charged. Try again shortly.";

/** With these reasons a `payment_id` would be that of the payment in the way. */
const SPEAKS_OF_ANOTHER: readonly Reason[] = ["PAYMENT_IN_PROGRESS", "RESERVATION_ALREADY_PAID"];

const MESSAGES: Partial<Record<Reason, string>> = {
  CARD_DECLINED: "Your card has been declined",
  PAYMENT_FAILED: "Something went wrong with your transaction",
  CURRENCY_NOT_SUPPORTED: "Currency {currency} not supported",
  DEPENDENCY_UNAVAILABLE: UNAVAILABLE,
  RESERVATION_EXPIRED: "The time to pay for this reservation is over.",
  RESERVATION_EXPIRING: "Too little time is left to pay for this reservation.",
  RESERVATION_CANCELLED: "This reservation is cancelled.",
  EVENT_CANCELLED: "This event is cancelled.",
  PAYMENT_IN_PROGRESS: "Another payment for this reservation was under way.",
  RESERVATION_ALREADY_PAID: "This reservation was paid by another payment.",
};
