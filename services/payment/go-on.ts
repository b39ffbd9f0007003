import type { Logger } from "@boxoffice/platform/log.ts";
import { refOf } from "@boxoffice/platform/ref.ts";
import type { Payment } from "./domain/payment.ts";
import { giveUp, loseSight, recordOutcome } from "./domain/transitions.ts";
import type { ProviderCalls } from "./provider-calls.ts";
import { CALL_TIMEOUT_MS } from "./reservation-calls.ts";
import type { Settled, Settlement } from "./settlement.ts";
import { changePayment, type Ledger } from "./store/ledger.ts";

export type GoOnOptions = {
  ledger: Ledger;
  settlement: Settlement;
  provider: ProviderCalls;
  log: Logger;
};

/** Longer than a call to the provider and the calls around it take together. */
export const leaseMsFor = (provider: ProviderCalls): number => provider.timeoutMs + 3 * CALL_TIMEOUT_MS;

/**
 * Goes on with a payment whose lease one has, as far as can be gone now. The provider is never asked for money here.
 *
 * @returns false when it has to be tried again
 */
export async function goOn(options: GoOnOptions, payment: Payment, signal: AbortSignal): Promise<boolean> {
  const { ledger, settlement, provider, log } = options;
  const { leaseId } = payment;
  const once = { tries: 1, signal };
  const about = { reservation_ref: refOf(payment.reservationId) };
  const change = async (step: (before: Payment) => Payment) => {
    const lease = { id: leaseId, ms: leaseMsFor(provider) };
    return (await changePayment(ledger, payment.paymentId, lease, step)) ?? payment;
  };
  // Who finds another's lease leaves it alone: whoever that is goes on.
  const next = (after: Payment) =>
    after.leaseId !== leaseId || isSame(after, payment) || goOn(options, after, signal);
  const then = ({ isDone, payment: after }: Settled) => isDone && next(after);
  if (payment.isAbortPending) return then(await settlement.abort(payment, once));
  if (payment.isReleasePending) return then(await settlement.release(payment, once));
  switch (payment.state) {
    case "CREATED": {
      // FAILED first: from then on nobody charges, so that the hold may be given back.
      return next(await change((before) => giveUp(before, leaseId, "DEPENDENCY_UNAVAILABLE", null)));
    }
    case "CHARGING": {
      log.warn(about, "nobody knows the outcome of a charge");
      return next(await change((before) => loseSight(before, leaseId)));
    }
    case "UNKNOWN": {
      // Never a second charge: the provider is only asked what became of the first.
      const found = await provider.lookUp(payment.paymentId, about);
      return found !== undefined && next(await change((before) => recordOutcome(before, found)));
    }
    case "CHARGED":
      return then(await settlement.confirm(payment, once));
    case "REFUND_DUE":
    case "REFUNDING":
      return then(await settlement.refund(payment));
    case "FAILED":
    case "CONFIRMED":
    case "REFUNDED":
      return true;
  }
}

/** Somebody else was there first, or there is nothing more to do. */
const isSame = (one: Payment, other: Payment): boolean =>
  one.state === other.state &&
  one.isAbortPending === other.isAbortPending &&
  one.isReleasePending === other.isReleasePending;
