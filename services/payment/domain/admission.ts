import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import type { Fingerprint, Payment } from "./payment.ts";

/** A reservation may be tried to be paid this often. */
export const MAX_ATTEMPTS = 10;

export type Admission =
  /** The order came before: this is its payment. */
  | { kind: "known"; payment: Payment }
  /** Failed attempts whose holds must be given back first. */
  | { kind: "abort first"; payments: Payment[] }
  | { kind: "new"; attempt: number };

/**
 * What becomes of an order, by the payments there are: those of its reservation, and the one with its request id.
 *
 * @throws BoxofficeError REQUEST_ID_REUSED, RESERVATION_ALREADY_PAID, PAYMENT_IN_PROGRESS, and LIMIT_EXCEEDED
 */
export function admit(
  payments: readonly Payment[],
  order: { reservationId: string; requestId: string | null },
  fingerprint: Fingerprint,
): Admission {
  const known = payments.find(({ requestId }) => requestId !== null && requestId === order.requestId);
  if (known !== undefined) {
    if (!isEqual(known.fingerprint, fingerprint)) throw reused();
    return { kind: "known", payment: known };
  }
  const attempts = payments.filter(({ reservationId }) => reservationId === order.reservationId);
  const paid = attempts.find(({ state }) => state === "CONFIRMED");
  if (paid !== undefined) throw alreadyPaid(paid);
  const other = attempts.find(({ state }) => state !== "FAILED" && state !== "REFUNDED");
  if (other !== undefined) throw inProgress(other);
  const unaborted = attempts.filter(({ isAbortPending }) => isAbortPending);
  if (unaborted.length > 0) return { kind: "abort first", payments: unaborted };
  const attempt = 1 + Math.max(0, ...attempts.map((each) => each.attempt));
  if (attempt > MAX_ATTEMPTS) throw tooMany();
  return { kind: "new", attempt };
}

function isEqual(one: Fingerprint, other: Fingerprint): boolean {
  return one.content === other.content && one.token === other.token;
}

function reused(): BoxofficeError {
  return new BoxofficeError("REQUEST_ID_REUSED", "This request_id was used for another payment.");
}

function alreadyPaid({ paymentId }: Payment): BoxofficeError {
  return new BoxofficeError("RESERVATION_ALREADY_PAID", "This reservation is paid.", {
    metadata: { payment_id: paymentId },
  });
}

function inProgress({ paymentId }: Payment): BoxofficeError {
  return new BoxofficeError("PAYMENT_IN_PROGRESS", "A payment for this reservation is under way.", {
    metadata: { payment_id: paymentId },
  });
}

function tooMany(): BoxofficeError {
  return new BoxofficeError(
    "LIMIT_EXCEEDED",
    "Too many payments have failed for this reservation. It cannot be paid any more.",
    { metadata: { max_attempts: MAX_ATTEMPTS } },
  );
}
