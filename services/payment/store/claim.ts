import type { Queryable } from "@boxoffice/platform/database.ts";
import type { Payment, PaymentState } from "../domain/payment.ts";
import type { Lease } from "./change.ts";
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from "./rows.ts";

/** A payment that was left, and how often it has been taken up in this state. */
export type Claimed = { payment: Payment; tries: number };

/**
 * Takes payments over whose lease has ended, longest ended first. What another replica is taking at this moment is
 * left to it. Whoever had the lease before finds out when they next use it.
 */
export async function claimDue(
  on: Queryable,
  { lease, states, limit }: { lease: Lease; states: readonly PaymentState[]; limit: number },
): Promise<Claimed[]> {
  const rows = await on.query<PaymentRow & { tries: number }>({
    name: "claim-due",
    text: `
      with due as (
        select payment_id as due_id from payment.payments
        where state = any($1::text[]) and lease_until <= payment.clock()
        order by lease_until
        limit $2
        for update skip locked
      )
      update payment.payments
      set lease_id = $3, lease_until = payment.clock() + $4 * interval '1 millisecond', tries = tries + 1
      from due where payment_id = due_id
      returning ${PAYMENT_COLUMNS}, tries`,
    values: [states, limit, lease.id, lease.ms],
  });
  return rows.map((row) => ({ payment: toPayment(row), tries: row.tries }));
}

/** Lets a payment rest for the lease's time, unless somebody else has taken it. */
export async function postpone(on: Queryable, paymentId: string, lease: Lease): Promise<void> {
  await on.query({
    name: "postpone",
    text: `
      update payment.payments set lease_until = payment.clock() + $3 * interval '1 millisecond'
      where payment_id = $1 and lease_id = $2 and lease_until is not null`,
    values: [paymentId, lease.id, lease.ms],
  });
}
