import {
  type Database,
  plainArray,
  type Transaction,
  violatedConstraint,
} from "@boxoffice/platform/database.ts";
import { isRefusal } from "@boxoffice/platform/errors.ts";
import { decide, type ReserveOutcome, type ReserveRequest, type SaleSnapshot } from "../domain/decide.ts";
import type { Reservation } from "../domain/reservation.ts";
import { announceReservations } from "./changes.ts";
import {
  EVENT_COLUMNS,
  type EventRow,
  TICKET_TYPE_COLUMNS,
  type TicketTypeRow,
  toEvent,
  toTicketType,
} from "./rows.ts";

export type ReserveOptions = {
  database: Database;
  newId: () => string;
  holdMs: number;
};

/** How often a batch is tried that met a request id in use elsewhere, or lost its connection. */
const ATTEMPTS = 3;

/**
 * Decides a batch of requests in one transaction and keeps what was granted. Requests are decided in their
 * order. When a request id turns out to be in use by a transaction that had not committed, the batch is decided
 * again, and in the end each request alone. So it is when the connection is lost, after which the batch may have
 * been committed: then the next attempt finds its reservations by their ids.
 *
 * @param mayBeKept whether an attempt before may have been committed
 * @throws BoxofficeError DEPENDENCY_UNAVAILABLE when the database does not answer
 */
export async function reserveBatch(
  requests: readonly ReserveRequest[],
  options: ReserveOptions,
  mayBeKept = false,
): Promise<ReserveOutcome[]> {
  let looksForKept = mayBeKept;
  for (let attempt = 1; ; attempt++) {
    try {
      return await options.database.transaction((tx) => reserveIn(tx, requests, options, looksForKept));
    } catch (error) {
      const isInUse = violatedConstraint(error) === "reservations_request_id";
      const isLost = isRefusal(error, "DEPENDENCY_UNAVAILABLE");
      if (!isInUse && !isLost) throw error;
      looksForKept ||= isLost;
      if (attempt < ATTEMPTS) continue;
      if (isLost || requests.length === 1) throw error;
      return await reserveOneByOne(requests, options, looksForKept);
    }
  }
}

/** Whether a request got nothing for want of tickets; those of ended holds may not be back yet. */
export function isSoldOut(outcome: ReserveOutcome): boolean {
  return outcome.kind === "refused" && isRefusal(outcome.error, "SOLD_OUT");
}

async function reserveOneByOne(
  requests: readonly ReserveRequest[],
  options: ReserveOptions,
  mayBeKept: boolean,
): Promise<ReserveOutcome[]> {
  const outcomes: ReserveOutcome[] = [];
  for (const request of requests) outcomes.push(...(await reserveBatch([request], options, mayBeKept)));
  return outcomes;
}

async function reserveIn(
  tx: Transaction,
  requests: readonly ReserveRequest[],
  { newId, holdMs }: ReserveOptions,
  looksForKept: boolean,
): Promise<ReserveOutcome[]> {
  const snapshot = await lockSale(tx, requests, looksForKept);
  const { outcomes, taken } = decide(requests, snapshot, holdMs);
  const made = outcomes.flatMap((outcome) => (outcome.kind === "made" ? [outcome.reservation] : []));
  if (made.length > 0) {
    const byId = new Map(requests.map((request) => [request.reservationId, request]));
    keep(tx, made, byId, taken, snapshot.now);
    announceReservations(tx, newId, snapshot.now, made);
  }
  return outcomes;
}

/**
 * Locks the events against pausing and cancelling, then the stock, each in the order of ids. The clock and the
 * request ids are read by a statement of their own afterwards: one that waited for a lock sees what was there
 * before its wait.
 */
async function lockSale(
  tx: Transaction,
  requests: readonly ReserveRequest[],
  looksForKept: boolean,
): Promise<SaleSnapshot> {
  const eventIds = [...new Set(requests.map(({ eventId }) => eventId))];
  const typeIds = [
    ...new Set(requests.flatMap(({ items }) => items.map(({ ticketTypeId }) => ticketTypeId))),
  ];
  const requestIds = requests.flatMap(({ requestId }) => (requestId === null ? [] : [requestId]));
  const reservationIds = looksForKept ? requests.map(({ reservationId }) => reservationId) : [];
  const [events, types, [clock], known, kept] = await Promise.all([
    tx.query<EventRow>({
      name: "lock-events",
      text: `
        select ${EVENT_COLUMNS} from reservation.events
        where event_id = any($1::uuid[]) order by event_id for share`,
      values: [eventIds],
    }),
    tx.query<TicketTypeRow>({
      name: "lock-stock",
      text: `
        select ${TICKET_TYPE_COLUMNS} from reservation.ticket_types
        where ticket_type_id = any($1::uuid[]) order by ticket_type_id for update`,
      values: [typeIds],
    }),
    tx.query<{ now: Date }>({ name: "clock", text: "select reservation.clock() as now" }),
    tx.query<{ request_id: string; request_hash: Buffer; reservation_id: string }>({
      name: "known-requests",
      text: `
        select request_id, request_hash, reservation_id from reservation.reservations
        where request_id = any($1::uuid[])`,
      values: [plainArray(requestIds)],
    }),
    reservationIds.length === 0
      ? []
      : tx.query<{ reservation_id: string }>({
          name: "kept-reservations",
          text: "select reservation_id from reservation.reservations where reservation_id = any($1::uuid[])",
          values: [reservationIds],
        }),
  ]);
  if (clock === undefined) throw new Error("the clock does not answer");
  return {
    events: new Map(events.map((row) => [row.event_id, toEvent(row)])),
    ticketTypes: new Map(types.map((row) => [row.ticket_type_id, toTicketType(row)])),
    known: new Map(
      known.map((row) => [
        row.request_id,
        { reservationId: row.reservation_id, contentHash: row.request_hash.toString("hex") },
      ]),
    ),
    kept: new Set(kept.map((row) => row.reservation_id)),
    now: clock.now,
  };
}

/** Takes the stock and inserts the reservations with their items, in one statement. */
function keep(
  tx: Transaction,
  made: readonly Reservation[],
  requests: ReadonlyMap<string, ReserveRequest>,
  taken: ReadonlyMap<string, number>,
  now: Date,
): void {
  const [first] = made;
  if (first === undefined) return;
  const items = made.flatMap(({ reservationId, items: own }) =>
    own.map((item) => ({ reservationId, ...item })),
  );
  const column = <Row, Value>(rows: readonly Row[], value: (row: Row) => Value): Value[] => rows.map(value);
  const requestOf = ({ reservationId }: Reservation) => requests.get(reservationId);
  tx.write({
    name: "keep-reservations",
    text: `
      with taken as (
        update reservation.ticket_types t
        set available = t.available - d.quantity, held = t.held + d.quantity,
            stock_version = t.stock_version + 1, changed_at = $3
        from unnest($1::uuid[], $2::int[]) as d (ticket_type_id, quantity)
        where t.ticket_type_id = d.ticket_type_id
      ), made as (
        insert into reservation.reservations (reservation_id, event_id, state, total_minor, customer_name,
          customer_email, request_id, request_hash, created_at, expires_at)
        select reservation_id, event_id, 'HELD', total_minor, customer_name, customer_email, request_id,
          decode(request_hash, 'hex'), $3, $4
        from unnest($5::uuid[], $6::uuid[], $7::int8[], $8::text[], $9::text[], $10::uuid[], $11::text[])
          as r (reservation_id, event_id, total_minor, customer_name, customer_email, request_id, request_hash)
        order by request_id
      )
      insert into reservation.reservation_items (reservation_id, ticket_type_id, quantity, unit_price_minor)
      select * from unnest($12::uuid[], $13::uuid[], $14::int[], $15::int8[])`,
    values: [
      plainArray([...taken.keys()]),
      plainArray([...taken.values()]),
      now,
      first.expiresAt,
      plainArray(column(made, ({ reservationId }) => reservationId)),
      plainArray(column(made, ({ eventId }) => eventId)),
      plainArray(column(made, ({ totalMinor }) => totalMinor)),
      column(made, ({ customer }) => customer?.name ?? null),
      column(made, ({ customer }) => customer?.email ?? null),
      plainArray(column(made, (reservation) => requestOf(reservation)?.requestId ?? null)),
      plainArray(column(made, (reservation) => requestOf(reservation)?.contentHash ?? null)),
      plainArray(column(items, ({ reservationId }) => reservationId)),
      plainArray(column(items, ({ ticketTypeId }) => ticketTypeId)),
      plainArray(column(items, ({ quantity }) => quantity)),
      plainArray(column(items, ({ unitPriceMinor }) => unitPriceMinor)),
    ],
  });
}
