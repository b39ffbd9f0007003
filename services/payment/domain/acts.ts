import { BoxofficeError, invalidField } from "@boxoffice/platform/errors.ts";
import { type Payment, PUBLIC_STATES } from "./payment.ts";
import { recordOutcome, refunded, startRefund } from "./transitions.ts";

/** What an operator does to a payment, and why. */
export type Act = {
  paymentId: string;
  /** The same id with the same content is the same act. */
  requestId: string | null;
  /** Who, as their token says; what, as the contract calls it; and why: for the audit. */
  actor: string;
  action: string;
  reason: string;
} & ActKind;

export type ActKind =
  | { kind: "resolve"; outcome: "CHARGED" | "FAILED" | "REFUNDED" }
  | { kind: "refund"; keepsOffSale: boolean };

/** @throws BoxofficeError INVALID_REQUEST for nothing but blanks */
export function parseReason(text: string): string {
  const reason = text.trim();
  if (reason === "") throw invalidField("reason", "must say why");
  return reason;
}

/** What was asked, whoever asked: an act that comes again is recognised by it. */
export function contentOf(act: Act): string {
  const what = act.kind === "resolve" ? act.outcome : act.keepsOffSale;
  return JSON.stringify([act.kind, act.paymentId, what, act.reason]);
}

/** What an audit says of an act, besides who and why. */
export function describeAct(act: Act, before: Payment, after: Payment): Record<string, string> {
  const asked =
    act.kind === "resolve" ? { outcome: act.outcome } : { keep_off_sale: String(act.keepsOffSale) };
  return { ...asked, from: before.state, to: after.state };
}

/**
 * What an act makes of a payment.
 *
 * @throws BoxofficeError PAYMENT_NOT_UNKNOWN or PAYMENT_NOT_REFUNDABLE where it is not in the state for it
 */
export function perform(payment: Payment, act: Act): Payment {
  if (act.kind === "refund") return mustChange(payment, startRefund(payment, act.keepsOffSale), notPaid);
  switch (act.outcome) {
    case "CHARGED":
      return resolve(payment, { kind: "charged" });
    case "FAILED":
      return resolve(payment, { kind: "failed", reason: "PAYMENT_FAILED" });
    case "REFUNDED":
      return mustChange(payment, refunded(payment), notRefunding);
  }
}

/** While it is CHARGING somebody is about to learn the outcome: nobody else may tell it. */
function resolve(payment: Payment, outcome: Parameters<typeof recordOutcome>[1]): Payment {
  if (payment.state !== "UNKNOWN") throw notUnknown(payment);
  return recordOutcome(payment, outcome);
}

function mustChange(before: Payment, after: Payment, refusal: (payment: Payment) => BoxofficeError): Payment {
  if (after === before) throw refusal(before);
  return after;
}

const notUnknown = (payment: Payment) =>
  new BoxofficeError("PAYMENT_NOT_UNKNOWN", "The outcome of this payment is known.", stateOf(payment));

const notPaid = (payment: Payment) =>
  new BoxofficeError(
    "PAYMENT_NOT_REFUNDABLE",
    "Only a payment that succeeded can be refunded.",
    stateOf(payment),
  );

const notRefunding = (payment: Payment) =>
  new BoxofficeError("PAYMENT_NOT_REFUNDABLE", "This payment is not being refunded.", stateOf(payment));

const stateOf = ({ state }: Payment) => ({ metadata: { state: PUBLIC_STATES[state] } });
