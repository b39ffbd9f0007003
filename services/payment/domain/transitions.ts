import type { Reason } from "@boxoffice/platform/errors.ts";
import type { Bill, Payment } from "./payment.ts";

/**
 * What is known of a charge. `failed`: certainly no money moved. There is one charge per payment at most, so
 * whoever learns the outcome may record it, lease or not.
 */
export type Outcome = { kind: "charged" } | { kind: "failed"; reason: Reason } | { kind: "unknown" };

// Each transition returns the payment itself where it does not apply: somebody else was there first.

/** CREATED → CHARGING, for the one who has the lease: only they may ask the provider. */
export function startCharging(payment: Payment, leaseId: string, bill: Bill): Payment {
  if (payment.state !== "CREATED" || payment.leaseId !== leaseId) return payment;
  return { ...next(payment), state: "CHARGING", bill };
}

/** CREATED → FAILED, for the one who has the lease. Whatever was begun in the reservation has to be aborted. */
export function giveUp(payment: Payment, leaseId: string, reason: Reason, bill: Bill | null): Payment {
  if (payment.state !== "CREATED" || payment.leaseId !== leaseId) return payment;
  return { ...failed(payment, reason), bill };
}

/** CHARGING → UNKNOWN, for the one who took the lease over from whoever was charging. */
export function loseSight(payment: Payment, leaseId: string): Payment {
  if (payment.state !== "CHARGING" || payment.leaseId !== leaseId) return payment;
  return { ...next(payment), state: "UNKNOWN" };
}

/**
 * CHARGING or UNKNOWN → CHARGED, FAILED or UNKNOWN. A success that comes after FAILED is money to be given
 * back; a failure that comes after a success is not believed.
 */
export function recordOutcome(payment: Payment, outcome: Outcome): Payment {
  const isOpen = payment.state === "CHARGING" || payment.state === "UNKNOWN";
  switch (outcome.kind) {
    case "charged":
      if (isOpen) return { ...next(payment), state: "CHARGED" };
      return payment.state === "FAILED" ? owed(payment) : payment;
    case "failed":
      return isOpen ? failed(payment, outcome.reason) : payment;
    case "unknown":
      return payment.state === "CHARGING" ? { ...next(payment), state: "UNKNOWN" } : payment;
  }
}

/** CHARGED → CONFIRMED: the reservation says that it is paid. */
export function confirmed(payment: Payment): Payment {
  return payment.state === "CHARGED" ? { ...next(payment), state: "CONFIRMED" } : payment;
}

/** CHARGED → REFUND_DUE: the reservation will never take this payment, and so has no hold to give back. */
export function confirmRefused(payment: Payment): Payment {
  return payment.state === "CHARGED" ? owed(payment) : payment;
}

/** The reservation has its hold back, as far as there was time left. */
export function aborted(payment: Payment): Payment {
  return payment.isAbortPending ? { ...payment, isAbortPending: false } : payment;
}

/** CONFIRMED → REFUNDING: the money is to be given back, and then the tickets. */
export function startRefund(payment: Payment, keepsOffSale: boolean): Payment {
  return payment.state === "CONFIRMED" ? { ...next(payment), state: "REFUNDING", keepsOffSale } : payment;
}

/** REFUNDING or REFUND_DUE → REFUNDED: the money is back. Only a reservation that was paid has to be told. */
export function refunded(payment: Payment): Payment {
  if (payment.state !== "REFUNDING" && payment.state !== "REFUND_DUE") return payment;
  return { ...next(payment), state: "REFUNDED", isReleasePending: payment.state === "REFUNDING" };
}

/** The reservation is CANCELLED, and its tickets are where they belong. */
export function released(payment: Payment): Payment {
  return payment.isReleasePending ? { ...payment, isReleasePending: false } : payment;
}

const next = (payment: Payment): Payment => ({ ...payment, version: payment.version + 1 });

const failed = (payment: Payment, failureReason: Reason): Payment => ({
  ...next(payment),
  state: "FAILED",
  failureReason,
  isAbortPending: true,
});

/** A hold that was not given back yet still has to be. */
const owed = (payment: Payment): Payment => ({ ...next(payment), state: "REFUND_DUE", failureReason: null });
