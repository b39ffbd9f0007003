import type { Reason } from "@boxoffice/platform/errors.ts";

/**
 * CREATED: the attempt is on record, nothing was asked of anybody for certain.
 * CHARGING: the provider may have been asked.
 * CHARGED: it took the money; the reservation does not know yet.
 * CONFIRMED: the reservation is paid.
 * FAILED: no money moved.
 * UNKNOWN: the provider was asked and its answer is not known.
 * REFUND_DUE: it took money for a reservation that is not to be had, and is asked to give it back.
 * REFUNDING: an operator has the money of a paid reservation given back.
 * REFUNDED: the money is back.
 */
export const PAYMENT_STATES = [
  "CREATED",
  "CHARGING",
  "CHARGED",
  "CONFIRMED",
  "FAILED",
  "UNKNOWN",
  "REFUND_DUE",
  "REFUNDING",
  "REFUNDED",
] as const;
export type PaymentState = (typeof PAYMENT_STATES)[number];

/** What a reservation costs, by the reservation's own word. */
export type Bill = { eventId: string; amountMinor: bigint; currencyCode: string };

export type Payment = {
  paymentId: string;
  reservationId: string;
  /** Counts the attempts to pay a reservation, from 1. */
  attempt: number;
  state: PaymentState;
  /** Rises with every change of the state. */
  version: number;
  requestId: string | null;
  fingerprint: Fingerprint;
  /** Null until the payment has begun in the reservation. */
  bill: Bill | null;
  /** With FAILED only. */
  failureReason: Reason | null;
  /** It failed, or was taken for failed, and the hold was not given back yet. */
  isAbortPending: boolean;
  /** REFUNDED, and the reservation does not know yet. */
  isReleasePending: boolean;
  /** From REFUNDING on: whether the tickets stay off sale. */
  keepsOffSale: boolean;
  /** Of whoever works on it, or did last. */
  leaseId: string;
  createdAt: Date;
};

/** What an order was, without what it said: HMACs in hex. */
export type Fingerprint = { content: string; token: string };

/** The states of a payment that readers are told. */
export type PublicState = "PROCESSING" | "SUCCEEDED" | "FAILED" | "UNKNOWN" | "REFUNDING" | "REFUNDED";

/**
 * SUCCEEDED is said only once the reservation is paid: money alone is no ticket. REFUND_DUE is told as REFUNDING:
 * the provider did take the money, there are no tickets for it, and it will be given back.
 */
export const PUBLIC_STATES = {
  CREATED: "PROCESSING",
  CHARGING: "PROCESSING",
  CHARGED: "PROCESSING",
  CONFIRMED: "SUCCEEDED",
  FAILED: "FAILED",
  UNKNOWN: "UNKNOWN",
  REFUND_DUE: "REFUNDING",
  REFUNDING: "REFUNDING",
  REFUNDED: "REFUNDED",
} as const satisfies Record<PaymentState, PublicState>;

/** The states in which there is nothing left to learn or to ask for; the reservation may still have to be told. */
const ENDS: readonly PaymentState[] = ["CONFIRMED", "FAILED", "REFUNDED"];

/** Whether somebody has to go on with the payment. An unknown outcome may still be learned. */
export function hasWorkLeft({ state, isAbortPending, isReleasePending }: Payment): boolean {
  return !ENDS.includes(state) || isAbortPending || isReleasePending;
}
