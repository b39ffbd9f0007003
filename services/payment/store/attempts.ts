import type { Queryable } from "@boxoffice/platform/database.ts";
import type { Fingerprint, Payment } from "../domain/payment.ts";
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from "./rows.ts";

/** What attempts are looked for by. */
export type AttemptKey = { reservationId: string; requestId: string | null };

/**
 * For each key the payments of its reservation, oldest first, and the one with its request id, whichever
 * reservation's that is.
 */
export async function findAttempts(on: Queryable, keys: readonly AttemptKey[]): Promise<Payment[][]> {
  const rows = await on.query<PaymentRow>({
    name: "find-attempts",
    text: `
      select ${PAYMENT_COLUMNS} from payment.payments
      where reservation_id = any($1::uuid[]) or request_id = any($2::uuid[])
      order by attempt`,
    values: [
      keys.map(({ reservationId }) => reservationId),
      keys.flatMap(({ requestId }) => (requestId === null ? [] : [requestId])),
    ],
  });
  const payments = rows.map(toPayment);
  const ofReservation = Map.groupBy(payments, ({ reservationId }) => reservationId);
  const byRequest = new Map(payments.map((payment) => [payment.requestId, payment]));
  return keys.map(({ reservationId, requestId }) => {
    const found = ofReservation.get(reservationId) ?? [];
    const known = requestId === null ? undefined : byRequest.get(requestId);
    return known === undefined || found.includes(known) ? found : [...found, known];
  });
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
 * P1: puts attempts on record, CREATED.
 *
 * @returns for each of them the payment, or undefined where another one was faster: with the request id, the
 *   attempt's number, or as the payment under way
 */
export async function insertAttempts(
  on: Queryable,
  attempts: readonly NewAttempt[],
): Promise<(Payment | undefined)[]> {
  const column = <T>(of: (attempt: NewAttempt) => T) => attempts.map(of);
  const rows = await on.query<PaymentRow>({
    name: "insert-attempts",
    // In one order, so that replicas which insert for the same reservations wait for each other, and never both.
    text: `
      insert into payment.payments (payment_id, reservation_id, attempt, state, request_id, content_hmac,
        token_hmac, lease_id, lease_until, created_at, changed_at)
      select payment_id, reservation_id, attempt, 'CREATED', request_id, decode(content, 'hex'),
        decode(token, 'hex'), lease_id, now + lease_ms * interval '1 millisecond', now, now
      from payment.clock() now,
        unnest($1::uuid[], $2::uuid[], $3::int[], $4::uuid[], $5::text[], $6::text[], $7::uuid[], $8::float8[])
          as a (payment_id, reservation_id, attempt, request_id, content, token, lease_id, lease_ms)
      order by reservation_id
      on conflict do nothing
      returning ${PAYMENT_COLUMNS}`,
    values: [
      column(({ paymentId }) => paymentId),
      column(({ reservationId }) => reservationId),
      column(({ attempt }) => attempt),
      column(({ requestId }) => requestId),
      column(({ fingerprint }) => fingerprint.content),
      column(({ fingerprint }) => fingerprint.token),
      column(({ leaseId }) => leaseId),
      column(({ leaseMs }) => leaseMs),
    ],
  });
  const byId = new Map(rows.map((row) => [row.payment_id, toPayment(row)]));
  return column(({ paymentId }) => byId.get(paymentId));
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
