import type { Transaction } from "@boxoffice/platform/database.ts";
import { appendOutbox, type EventChanges } from "@boxoffice/platform/outbox.ts";
import { hasWorkLeft, type Payment } from "../domain/payment.ts";
import { paymentChange } from "./announcement.ts";
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from "./rows.ts";

/** Who goes on with a payment, and for how long before the completer takes over. */
export type Lease = { id: string; ms: number };

/** A change of one payment. */
export type Step = {
  paymentId: string;
  /** Of the payment after the change, as long as something is left to do. */
  lease: Lease;
  /** Decides what becomes of the payment as it is now; returns it unchanged to leave it alone. */
  decide(payment: Payment): Payment;
};

export type Changed = {
  /** As they are after the steps, in the steps' order; undefined where there is none. */
  payments: (Payment | undefined)[];
  /** Whether the outbox was written to. */
  isAnnounced: boolean;
  /** By the database's clock, read when the payments were locked. */
  now: Date;
};

/** Takes steps in a transaction, in their order, with as many statements for many of them as for one. */
export async function changeInTransaction(
  tx: Transaction,
  newId: () => string,
  steps: readonly Step[],
): Promise<Changed> {
  const [payments, now] = await Promise.all([lockPayments(tx, steps), readClock(tx)]);
  const changed = new Map<string, { payment: Payment; lease: Lease }>();
  const news = new Map<string, Payment>();
  const results = steps.map(({ paymentId, lease, decide }) => {
    const before = payments.get(paymentId);
    if (before === undefined) return undefined;
    const payment = decide(before);
    if (payment === before) return before;
    const after = { ...payment, leaseId: lease.id };
    payments.set(paymentId, after);
    changed.set(paymentId, { payment: after, lease });
    if (isNews(before, after)) news.set(paymentId, after);
    return after;
  });
  const events = announcementsOf([...news.values()]);
  if (changed.size > 0) updatePayments(tx, [...changed.values()], now);
  appendOutbox(tx, "payment", newId, now, events);
  return { payments: results, isAnnounced: events.length > 0, now };
}

/**
 * That a charge was begun says nothing yet. An attempt that never began in its reservation belongs to no event that
 * payment knows of, so there is nobody to tell.
 */
function isNews(before: Payment, after: Payment): boolean {
  return after.state !== before.state && after.state !== "CHARGING" && after.bill !== null;
}

function announcementsOf(payments: readonly Payment[]): EventChanges[] {
  const byEvent = Map.groupBy(payments, ({ bill }) => bill?.eventId ?? "");
  return [...byEvent].map(([eventId, ofEvent]) => ({ eventId, changes: ofEvent.map(paymentChange) }));
}

/** In the order of their ids, as everywhere: two batches that meet wait for each other and never both. */
async function lockPayments(tx: Transaction, steps: readonly Step[]): Promise<Map<string, Payment>> {
  const rows = await tx.query<PaymentRow>({
    name: "lock-payments",
    text: `
      select ${PAYMENT_COLUMNS} from payment.payments
      where payment_id = any($1::uuid[]) order by payment_id for update`,
    values: [steps.map(({ paymentId }) => paymentId)],
  });
  return new Map(rows.map((row) => [row.payment_id, toPayment(row)]));
}

async function readClock(tx: Transaction): Promise<Date> {
  const [row] = await tx.query<{ now: Date }>({ name: "clock", text: "select payment.clock() as now" });
  if (row === undefined) throw new Error("there is always a time");
  return row.now;
}

function updatePayments(
  tx: Transaction,
  changed: readonly { payment: Payment; lease: Lease }[],
  now: Date,
): void {
  const column = <T>(of: (payment: Payment) => T) => changed.map(({ payment }) => of(payment));
  tx.write({
    name: "update-payments",
    text: `
      update payment.payments p
      set state = d.state, version = d.version, event_id = d.event_id, amount_minor = d.amount_minor,
        currency_code = d.currency_code, failure_reason = d.failure_reason, is_abort_pending = d.is_abort_pending,
        is_release_pending = d.is_release_pending, keeps_off_sale = d.keeps_off_sale, lease_id = d.lease_id,
        tries = 0, changed_at = $13::timestamptz,
        lease_until = case when d.has_work_left then $13::timestamptz + d.lease_ms * interval '1 millisecond' end
      from unnest($1::uuid[], $2::text[], $3::int[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::bool[],
          $9::bool[], $10::bool[], $11::uuid[], $12::float8[], $14::bool[])
        as d (payment_id, state, version, event_id, amount_minor, currency_code, failure_reason, is_abort_pending,
          is_release_pending, keeps_off_sale, lease_id, lease_ms, has_work_left)
      where p.payment_id = d.payment_id`,
    values: [
      column(({ paymentId }) => paymentId),
      column(({ state }) => state),
      column(({ version }) => version),
      column(({ bill }) => bill?.eventId ?? null),
      column(({ bill }) => bill?.amountMinor ?? null),
      column(({ bill }) => bill?.currencyCode ?? null),
      column(({ failureReason }) => failureReason),
      column(({ isAbortPending }) => isAbortPending),
      column(({ isReleasePending }) => isReleasePending),
      column(({ keepsOffSale }) => keepsOffSale),
      changed.map(({ lease }) => lease.id),
      changed.map(({ lease }) => lease.ms),
      now,
      column(hasWorkLeft),
    ],
  });
}
