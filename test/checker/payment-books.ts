import type { Queryable } from "@boxoffice/platform/database.ts";
import { ChangeBatchSchema, type PaymentChange } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { fromBinary } from "@bufbuild/protobuf";
import type { Entry } from "../provider/ledger.ts";

/** An attempt to pay as the payment schema keeps it. */
export type PaymentBook = {
  paymentId: string;
  reservationId: string;
  attempt: number;
  state: string;
  version: number;
  requestId: string | null;
  eventId: string | null;
  amountMinor: bigint | null;
  currencyCode: string | null;
  failureReason: string | null;
  isAbortPending: boolean;
  isReleasePending: boolean;
  /** Whether somebody is to go on with it. */
  hasLease: boolean;
};

/** What the payment schema and the provider hold. */
export type PaymentBooks = {
  payments: Map<string, PaymentBook>;
  /** What was announced of each payment. */
  announced: Map<string, PaymentChange[]>;
  /** The provider's own entries, by the payment they were made for. */
  charges: Map<string, Entry[]>;
  refunds: Map<string, Entry[]>;
};

/**
 * Reads the payment schema, as the caller's transaction sees it, and after it the provider's ledger.
 *
 * @param reservationIds of whose payments; an attempt knows its event only once it has begun
 */
export async function readPaymentBooks(
  on: Queryable,
  readLedger: () => readonly Entry[],
  reservationIds: readonly string[],
): Promise<PaymentBooks> {
  const rows = await on.query<PaymentBook>({
    text: `
      select payment_id as "paymentId", reservation_id as "reservationId", attempt, state, version,
        request_id as "requestId", event_id as "eventId", amount_minor as "amountMinor",
        currency_code as "currencyCode", failure_reason as "failureReason",
        is_abort_pending as "isAbortPending", is_release_pending as "isReleasePending",
        lease_until is not null as "hasLease"
      from payment.payments
      where reservation_id = any($1::uuid[])`,
    values: [reservationIds],
  });
  const outbox = await on.query<{ payload: Buffer }>({ text: "select payload from payment.outbox" });
  const changes = outbox
    .flatMap(({ payload }) => fromBinary(ChangeBatchSchema, payload).changes)
    .flatMap(({ change }) => (change.case === "payment" ? [change.value] : []));
  const entries = readLedger();
  const byKey = (kind: Entry["kind"]) =>
    Map.groupBy(
      entries.filter((entry) => entry.kind === kind),
      ({ key }) => key,
    );
  return {
    payments: new Map(rows.map((row) => [row.paymentId, row])),
    announced: Map.groupBy(changes, ({ paymentId }) => paymentId),
    charges: byKey("charge"),
    refunds: byKey("refund"),
  };
}
