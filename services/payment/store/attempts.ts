import type { Queryable } from "@boxoffice/platform/database.ts";
import type { Fingerprint, Payment } from "../domain/payment.ts";
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from "./rows.ts";

/** The payments of a reservation, oldest first, and the one with this request id, whichever reservation's it is. */
export async function findAttempts(
  on: Queryable,
  { reservationId, requestId }: { reservationId: string; requestId: string | null },
): Promise<Payment[]> {
  const rows = await on.query<PaymentRow>({
    name: "find-attempts",
    text: `
      select ${PAYMENT_COLUMNS} from payment.payments
      where reservation_id = $1 or request_id = $2
      order by attempt`,
    values: [reservationId, requestId],
  });
  return rows.map(toPayment);
}

export type NewAttempt = {
  paymentId: string;
  reservationId: string;
  attempt: number;
  requestId: string | null;
  fingerprint: Fingerprint;
  leaseId: string;
  leaseMs: number;
};

/**
 * P1: puts an attempt on record, CREATED.
 *
 * @returns undefined where another one was faster: with the request id, the attempt's number, or as the payment
 *   under way
 */
export async function insertAttempt(on: Queryable, attempt: NewAttempt): Promise<Payment | undefined> {
  const [row] = await on.query<PaymentRow>({
    name: "insert-attempt",
    text: `
      insert into payment.payments (payment_id, reservation_id, attempt, state, request_id, content_hmac,
        token_hmac, lease_id, lease_until, created_at, changed_at)
      select $1::uuid, $2::uuid, $3::int, 'CREATED', $4::uuid, decode($5, 'hex'), decode($6, 'hex'), $7::uuid,
        now + $8 * interval '1 millisecond', now, now
      from payment.clock() now
      on conflict do nothing
      returning ${PAYMENT_COLUMNS}`,
    values: [
      attempt.paymentId,
      attempt.reservationId,
      attempt.attempt,
      attempt.requestId,
      attempt.fingerprint.content,
      attempt.fingerprint.token,
      attempt.leaseId,
      attempt.leaseMs,
    ],
  });
  return row && toPayment(row);
}

/**
 * Forgets an attempt that never began in the reservation, because there is none or because it could not be asked:
 * what was refused before it was accepted leaves nothing behind, and is decided anew when it comes again.
 */
export async function discardAttempt(on: Queryable, paymentId: string): Promise<void> {
  await on.query({
    name: "discard-attempt",
    text: `
      delete from payment.payments
      where payment_id = $1 and state in ('CREATED', 'FAILED') and event_id is null`,
    values: [paymentId],
  });
}
