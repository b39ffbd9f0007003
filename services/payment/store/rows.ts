import type { Reason } from "@boxoffice/platform/errors.ts";
import type { Payment, PaymentState } from "../domain/payment.ts";

export type PaymentRow = {
  payment_id: string;
  reservation_id: string;
  attempt: number;
  state: PaymentState;
  version: number;
  request_id: string | null;
  content_hmac: Buffer;
  token_hmac: Buffer;
  event_id: string | null;
  amount_minor: bigint | null;
  currency_code: string | null;
  failure_reason: Reason | null;
  is_abort_pending: boolean;
  is_release_pending: boolean;
  keeps_off_sale: boolean;
  lease_id: string;
  created_at: Date;
};

export const PAYMENT_COLUMNS = `
  payment_id, reservation_id, attempt, state, version, request_id, content_hmac, token_hmac, event_id,
  amount_minor, currency_code, failure_reason, is_abort_pending, is_release_pending, keeps_off_sale, lease_id,
  created_at`;

export const toPayment = (row: PaymentRow): Payment => ({
  paymentId: row.payment_id,
  reservationId: row.reservation_id,
  attempt: row.attempt,
  state: row.state,
  version: row.version,
  requestId: row.request_id,
  fingerprint: { content: row.content_hmac.toString("hex"), token: row.token_hmac.toString("hex") },
  bill:
    row.event_id === null || row.amount_minor === null || row.currency_code === null
      ? null
      : { eventId: row.event_id, amountMinor: row.amount_minor, currencyCode: row.currency_code },
  failureReason: row.failure_reason,
  isAbortPending: row.is_abort_pending,
  isReleasePending: row.is_release_pending,
  keepsOffSale: row.keeps_off_sale,
  leaseId: row.lease_id,
  createdAt: row.created_at,
});
