import type { Logger } from "@boxoffice/platform/log.ts";
import { refOf } from "@boxoffice/platform/ref.ts";
import type { Runtime } from "@boxoffice/platform/runtime.ts";
import type { Payment, PaymentState } from "./domain/payment.ts";
import { giveUp, loseSight, recordOutcome } from "./domain/transitions.ts";
import type { PaymentProvider } from "./provider/port.ts";
import { CALL_TIMEOUT_MS } from "./reservation-calls.ts";
import type { Settlement } from "./settlement.ts";
import { changePayment, type Ledger } from "./store/change.ts";
import { type Claimed, claimDue, postpone } from "./store/claim.ts";

export type CompleterOptions = {
  ledger: Ledger;
  settlement: Settlement;
  provider: PaymentProvider;
  runtime: Runtime;
  log: Logger;
};

const BATCH = 50;
const LOOK_EVERY_MS = 500;
const RETRY_MS = 1_000;

/** Longer than a look-up and a call take together. */
const LOOKUP_TIMEOUT_MS = 5_000;
const LEASE_MS = 2 * CALL_TIMEOUT_MS + LOOKUP_TIMEOUT_MS;

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Goes on with payments that a crash, a lost answer or a service that is away has left, on every replica at once. */
export async function runCompleter(options: CompleterOptions, signal: AbortSignal): Promise<void> {
  const { runtime, log } = options;
  let isFailing = false;
  while (!signal.aborted) {
    try {
      const taken = await completeOnce(options, signal);
      if (isFailing) log.info("payments are being completed again");
      isFailing = false;
      if (taken < BATCH) await runtime.sleep(LOOK_EVERY_MS, signal);
    } catch (error) {
      if (!isFailing) log.warn({ error }, "cannot complete payments; they are kept and tried again");
      isFailing = true;
      await runtime.sleep(RETRY_MS, signal);
    }
  }
}

/** Takes over at most one batch of payments. @returns how many */
export async function completeOnce(options: CompleterOptions, signal: AbortSignal): Promise<number> {
  const { ledger, provider } = options;
  const lease = { id: ledger.newId(), ms: LEASE_MS };
  const states: PaymentState[] = ["CREATED", "CHARGING", "CHARGED", "FAILED"];
  if (provider.lookup !== undefined) states.push("UNKNOWN"); // else only an operator can tell
  const claimed = await claimDue(ledger.database, { lease, states, limit: BATCH });
  const results = await Promise.allSettled(claimed.map((each) => complete(options, each, signal)));
  const failure = results.find((result) => result.status === "rejected");
  if (failure) throw failure.reason;
  return claimed.length;
}

async function complete(options: CompleterOptions, claimed: Claimed, signal: AbortSignal): Promise<void> {
  const { payment, tries } = claimed;
  if (await goOn(options, payment, signal)) return;
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
  await postpone(options.ledger.database, payment.paymentId, { id: payment.leaseId, ms: pauseMs });
}

/** Goes on as far as can be gone now. @returns false when it has to be tried again */
async function goOn(options: CompleterOptions, payment: Payment, signal: AbortSignal): Promise<boolean> {
  const { ledger, settlement, log } = options;
  const { leaseId } = payment;
  const change = async (step: (before: Payment) => Payment) =>
    (await changePayment(ledger, payment.paymentId, { id: leaseId, ms: LEASE_MS }, step)) ?? payment;
  switch (payment.state) {
    case "CREATED": {
      // FAILED first: from then on nobody charges, so that the hold may be given back.
      const failed = await change((before) => giveUp(before, leaseId, "DEPENDENCY_UNAVAILABLE", null));
      return !failed.isAbortPending || goOn(options, failed, signal);
    }
    case "CHARGING": {
      log.warn({ reservation_ref: refOf(payment.reservationId) }, "nobody knows the outcome of a charge");
      const unknown = await change((before) => loseSight(before, leaseId));
      return unknown.state !== "UNKNOWN" || goOn(options, unknown, signal);
    }
    case "UNKNOWN": {
      const found = await lookUp(options, payment);
      if (found === undefined) return false;
      const known = await change((before) => recordOutcome(before, found));
      return known.state === "UNKNOWN" ? false : goOn(options, known, signal);
    }
    case "CHARGED":
      return (await settlement.confirm(payment, { tries: 1, signal })).isDone;
    case "FAILED":
      return !payment.isAbortPending || (await settlement.abort(payment, { tries: 1, signal })).isDone;
    case "CONFIRMED":
    case "REFUND_DUE":
      return true;
  }
}

/** Never a second charge: the provider is only asked what became of the first. */
async function lookUp({ provider, runtime, log }: CompleterOptions, payment: Payment) {
  if (provider.lookup === undefined) return undefined;
  const over = new AbortController();
  try {
    const found = await Promise.race([
      provider.lookup(payment.paymentId, over.signal),
      runtime.sleep(LOOKUP_TIMEOUT_MS, over.signal),
    ]);
    if (found === "charged") return { kind: "charged" } as const;
    if (found === "failed") return { kind: "failed", reason: "PAYMENT_FAILED" } as const;
  } catch (error) {
    const name = error instanceof Error ? error.name : typeof error;
    log.warn({ error_name: name }, "the provider cannot be asked what became of a charge");
  } finally {
    over.abort();
  }
  return undefined;
}
