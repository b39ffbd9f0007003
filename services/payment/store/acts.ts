import { createHash } from "node:crypto";
import { appendAudit } from "@boxoffice/platform/audit.ts";
import type { Transaction } from "@boxoffice/platform/database.ts";
import { violatedConstraint } from "@boxoffice/platform/database.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { type Act, contentOf, describeAct, perform } from "../domain/acts.ts";
import type { Payment } from "../domain/payment.ts";
import { changeInTransaction, type Lease } from "./change.ts";
import type { LedgerOptions } from "./ledger.ts";

/**
 * Records what an operator does to a payment: what becomes of it, its announcement, and who did it and why commit
 * together. An act that comes again changes nothing.
 *
 * @returns the payment as it is now
 * @throws BoxofficeError PAYMENT_NOT_FOUND, REQUEST_ID_REUSED, and what {@link perform} refuses with
 */
export async function recordAct(ledger: LedgerOptions, act: Act, lease: Lease): Promise<Payment> {
  try {
    return await attempt(ledger, act, lease);
  } catch (error) {
    // Somebody else has used the request id for another payment at the same moment.
    if (violatedConstraint(error) === "acts_pkey") return attempt(ledger, act, lease);
    throw error;
  }
}

async function attempt(
  { database, newId, onCommit }: LedgerOptions,
  act: Act,
  lease: Lease,
): Promise<Payment> {
  const { payment, isAnnounced } = await database.transaction(async (tx) => {
    await lock(tx, act.paymentId);
    const isRepeated = await wasRecorded(tx, act);
    let before: Payment | undefined;
    const decide = (payment: Payment) => {
      before = payment;
      return isRepeated ? payment : perform(payment, act);
    };
    const step = { paymentId: act.paymentId, lease, decide };
    const { payments, isAnnounced, now } = await changeInTransaction(tx, newId, [step]);
    const [payment] = payments;
    if (before === undefined || payment === undefined) throw noSuchPayment();
    if (!isRepeated) await keep(tx, newId, now, act, before, payment);
    return { payment, isAnnounced };
  });
  if (isAnnounced) onCommit();
  return payment;
}

/** Who did it and why, and what to recognise it by when it comes again. */
async function keep(
  tx: Transaction,
  newId: () => string,
  now: Date,
  act: Act,
  before: Payment,
  after: Payment,
): Promise<void> {
  const { actor, action, reason, paymentId: target } = act;
  const eventId = after.bill?.eventId ?? null;
  const details = describeAct(act, before, after);
  // The first to fail is the first to be heard of: an id that was used meanwhile.
  await Promise.all([
    act.requestId === null ? undefined : remember(tx, act, now),
    appendAudit(tx, "payment", newId, now, { actor, action, reason, target, eventId, details }),
  ]);
}

export function noSuchPayment(): BoxofficeError {
  return new BoxofficeError("PAYMENT_NOT_FOUND", "There is no such payment.");
}

/** Who repeats an act waits for the first to end, and then finds it. */
async function lock(tx: Transaction, paymentId: string): Promise<void> {
  await tx.query({
    text: "select 1 from payment.payments where payment_id = $1 for update",
    values: [paymentId],
  });
}

/** @throws BoxofficeError REQUEST_ID_REUSED where its id belongs to another act */
async function wasRecorded(tx: Transaction, act: Act): Promise<boolean> {
  if (act.requestId === null) return false;
  const [row] = await tx.query<{ content_hash: Buffer }>({
    text: "select content_hash from payment.acts where request_id = $1",
    values: [act.requestId],
  });
  if (row === undefined) return false;
  if (row.content_hash.equals(hashOf(act))) return true;
  throw new BoxofficeError("REQUEST_ID_REUSED", "This request_id was used for something else.");
}

async function remember(tx: Transaction, act: Act, now: Date): Promise<void> {
  await tx.query({
    text: `
      insert into payment.acts (request_id, payment_id, content_hash, acted_at)
      values ($1, $2, $3, $4)`,
    values: [act.requestId, act.paymentId, hashOf(act), now],
  });
}

const hashOf = (act: Act): Buffer => createHash("sha256").update(contentOf(act)).digest();
