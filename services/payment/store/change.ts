import type { Database, Transaction } from "@boxoffice/platform/database.ts";
import { appendOutbox } from "@boxoffice/platform/outbox.ts";
import { hasWorkLeft, type Payment } from "../domain/payment.ts";
import { paymentChange } from "./announcement.ts";
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from "./rows.ts";

/** Where payments are kept, and what their changes need. */
export type Ledger = {
  database: Database;
  newId: () => string;
  /** Called after a commit that wrote to the outbox. */
  onCommit(): void;
};

/** Who goes on with a payment, and for how long before the completer takes over. */
export type Lease = { id: string; ms: number };

/**
 * Changes one payment: locks it, decides, and writes what it became together with its announcement. `decide` returns
 * the payment itself to leave it alone.
 *
 * @param lease of the payment after the change, as long as something is left to do
 * @returns the payment as it is now; undefined when it is not there any more
 */
export async function changePayment(
  { database, newId, onCommit }: Ledger,
  paymentId: string,
  lease: Lease,
  decide: (payment: Payment) => Payment,
): Promise<Payment | undefined> {
  let isAnnounced = false;
  const result = await database.transaction(async (tx) => {
    const before = await lockPayment(tx, paymentId);
    if (before === undefined) return undefined;
    const payment = decide(before);
    if (payment === before) return before;
    const now = await update(tx, payment, lease);
    isAnnounced = isNews(before, payment);
    if (isAnnounced && payment.bill) {
      const events = [{ eventId: payment.bill.eventId, changes: [paymentChange(payment)] }];
      appendOutbox(tx, "payment", newId, now, events);
    }
    return { ...payment, leaseId: lease.id };
  });
  if (isAnnounced) onCommit();
  return result;
}

/**
 * That a charge was begun says nothing yet. An attempt that never began in its reservation belongs to no event that
 * payment knows of, so there is nobody to tell.
 */
function isNews(before: Payment, after: Payment): boolean {
  return after.state !== before.state && after.state !== "CHARGING" && after.bill !== null;
}

async function lockPayment(tx: Transaction, paymentId: string): Promise<Payment | undefined> {
  const [row] = await tx.query<PaymentRow>({
    name: "lock-payment",
    text: `select ${PAYMENT_COLUMNS} from payment.payments where payment_id = $1 for update`,
    values: [paymentId],
  });
  return row && toPayment(row);
}

async function update(tx: Transaction, payment: Payment, lease: Lease): Promise<Date> {
  const { bill } = payment;
  const [row] = await tx.query<{ changed_at: Date }>({
    name: "update-payment",
    text: `
      update payment.payments
      set state = $2, version = $3, event_id = $4, amount_minor = $5, currency_code = $6, failure_reason = $7,
        is_abort_pending = $8, lease_id = $9, tries = 0, changed_at = now,
        lease_until = case when $10::boolean then now + $11 * interval '1 millisecond' end
      from payment.clock() now
      where payment_id = $1
      returning changed_at`,
    values: [
      payment.paymentId,
      payment.state,
      payment.version,
      bill?.eventId ?? null,
      bill?.amountMinor ?? null,
      bill?.currencyCode ?? null,
      payment.failureReason,
      payment.isAbortPending,
      lease.id,
      hasWorkLeft(payment),
      lease.ms,
    ],
  });
  if (row === undefined) throw new Error("a locked payment can be updated");
  return row.changed_at;
}
