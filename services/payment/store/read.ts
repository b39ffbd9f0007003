import type { Queryable } from "@boxoffice/platform/database.ts";
import type { Payment, PaymentState } from "../domain/payment.ts";
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from "./rows.ts";

export async function getPayment(on: Queryable, paymentId: string): Promise<Payment | undefined> {
  const [row] = await on.query<PaymentRow>({
    name: "get-payment",
    text: `select ${PAYMENT_COLUMNS} from payment.payments where payment_id = $1`,
    values: [paymentId],
  });
  return row && toPayment(row);
}

export type PaymentFilter = {
  /** Null: whatever its state. */
  states: readonly PaymentState[] | null;
  eventId: string | null;
  reservationId: string | null;
};

/** Newest first, `limit` of them after the one with the id `after`. */
export async function listPayments(
  on: Queryable,
  { states, eventId, reservationId }: PaymentFilter,
  after: string | undefined,
  limit: number,
): Promise<Payment[]> {
  const rows = await on.query<PaymentRow>({
    text: `
      select ${PAYMENT_COLUMNS} from payment.payments
      where ($1::text[] is null or state = any($1))
        and ($2::uuid is null or event_id = $2)
        and ($3::uuid is null or reservation_id = $3)
        and ($4::uuid is null or payment_id < $4)
      order by payment_id desc
      limit $5`,
    values: [states, eventId, reservationId, after ?? null, limit],
  });
  return rows.map(toPayment);
}

/** The states of payments that wait for the provider or for an operator. */
export const UNSETTLED = ["UNKNOWN", "REFUND_DUE", "REFUNDING"] as const satisfies PaymentState[];

/** How many payments are in each of these states, and for how long the oldest has been. */
export async function countUnsettled(on: Queryable) {
  const rows = await on.query<{ state: PaymentState; count: bigint; oldest_seconds: number }>({
    name: "count-unsettled",
    text: `
      select state, count(p.payment_id) as count,
        coalesce(extract(epoch from payment.clock() - min(p.changed_at)), 0)::float8 as oldest_seconds
      from unnest($1::text[]) as state
      left join payment.payments p using (state)
      group by state`,
    values: [UNSETTLED],
  });
  return rows.map(({ state, count, oldest_seconds }) => ({
    state,
    count: Number(count),
    oldestSeconds: oldest_seconds,
  }));
}
