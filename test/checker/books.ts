import type { Queryable } from "@boxoffice/platform/database.ts";
import { refOf } from "@boxoffice/platform/ref.ts";
import {
  ChangeBatchSchema,
  type ReservationChange,
  type TicketTypeChange,
} from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { fromBinary } from "@bufbuild/protobuf";

/** A ticket type as the reservation schema books it. */
export type TypeBook = {
  ticketTypeId: string;
  eventId: string;
  quantity: number;
  available: number;
  held: number;
  paid: number;
};

export type ItemBook = { ticketTypeId: string; quantity: number; unitPriceMinor: bigint };

export type ReservationBook = {
  reservationId: string;
  /** The hash by which events speak of it. */
  ref: string;
  eventId: string;
  state: string;
  version: number;
  totalMinor: bigint;
  requestId: string | null;
  paymentId: string | null;
  createdAt: Date;
  expiresAt: Date;
  paidAt: Date | null;
  closedAt: Date | null;
  items: ItemBook[];
};

/** What the reservation schema holds, read at one moment. */
export type Books = {
  /** By the database's clock. */
  now: Date;
  /** By id; whether each is cancelled. */
  events: Map<string, { isCancelled: boolean }>;
  types: Map<string, TypeBook>;
  reservations: Map<string, ReservationBook>;
  /** Items that belong to no reservation. */
  strayItems: { reservationId: string; ticketTypeId: string }[];
  /** What was announced of each reservation, by its ref, and of each ticket type, by its id. */
  announced: {
    reservations: Map<string, ReservationChange[]>;
    types: Map<string, TicketTypeChange[]>;
  };
};

/**
 * Reads the reservation schema. Statements see one moment only in a transaction that is REPEATABLE READ.
 *
 * @param eventIds of these events only; null for all
 */
export async function readBooks(on: Queryable, eventIds: readonly string[] | null): Promise<Books> {
  const [clock] = await on.query<{ now: Date }>({ text: "select reservation.clock() as now" });
  if (clock === undefined) throw new Error("the clock does not answer");
  const events = await on.query<{ event_id: string; is_cancelled: boolean }>({
    text: `
      select event_id, is_cancelled from reservation.events
      where $1::uuid[] is null or event_id = any($1)`,
    values: [eventIds],
  });
  const reservations = await readReservations(on, eventIds);
  return {
    now: clock.now,
    events: new Map(events.map((row) => [row.event_id, { isCancelled: row.is_cancelled }])),
    types: await readTypes(on, eventIds),
    reservations,
    strayItems: await readItemsInto(on, eventIds, reservations),
    announced: await readAnnounced(on, eventIds),
  };
}

async function readTypes(on: Queryable, eventIds: readonly string[] | null): Promise<Map<string, TypeBook>> {
  const rows = await on.query<TypeBook>({
    text: `
      select ticket_type_id as "ticketTypeId", event_id as "eventId", quantity, available, held, paid
      from reservation.ticket_types
      where $1::uuid[] is null or event_id = any($1)`,
    values: [eventIds],
  });
  return new Map(rows.map((row) => [row.ticketTypeId, row]));
}

async function readReservations(
  on: Queryable,
  eventIds: readonly string[] | null,
): Promise<Map<string, ReservationBook>> {
  const rows = await on.query<Omit<ReservationBook, "ref" | "items">>({
    text: `
      select reservation_id as "reservationId", event_id as "eventId", state, version,
        total_minor as "totalMinor", request_id as "requestId", payment_id as "paymentId",
        created_at as "createdAt", expires_at as "expiresAt", paid_at as "paidAt", closed_at as "closedAt"
      from reservation.reservations
      where $1::uuid[] is null or event_id = any($1)`,
    values: [eventIds],
  });
  return new Map(
    rows.map((row) => [row.reservationId, { ...row, ref: refOf(row.reservationId), items: [] }]),
  );
}

/** Gives each reservation its items, and returns those that belong to none of them. */
async function readItemsInto(
  on: Queryable,
  eventIds: readonly string[] | null,
  reservations: ReadonlyMap<string, ReservationBook>,
): Promise<Books["strayItems"]> {
  const rows = await on.query<ItemBook & { reservationId: string }>({
    text: `
      select i.reservation_id as "reservationId", i.ticket_type_id as "ticketTypeId", i.quantity,
        i.unit_price_minor as "unitPriceMinor"
      from reservation.reservation_items i
      left join reservation.reservations r using (reservation_id)
      left join reservation.ticket_types t using (ticket_type_id)
      where $1::uuid[] is null or coalesce(r.event_id, t.event_id) = any($1)
      order by i.ticket_type_id`,
    values: [eventIds],
  });
  const stray: Books["strayItems"] = [];
  for (const { reservationId, ...item } of rows) {
    const reservation = reservations.get(reservationId);
    if (reservation) reservation.items.push(item);
    else stray.push({ reservationId, ticketTypeId: item.ticketTypeId });
  }
  return stray;
}

async function readAnnounced(on: Queryable, eventIds: readonly string[] | null): Promise<Books["announced"]> {
  const rows = await on.query<{ payload: Buffer }>({
    text: "select payload from reservation.outbox where $1::uuid[] is null or event_id = any($1)",
    values: [eventIds],
  });
  const announced: Books["announced"] = { reservations: new Map(), types: new Map() };
  for (const { change } of rows.flatMap(({ payload }) => fromBinary(ChangeBatchSchema, payload).changes)) {
    if (change.case === "reservation")
      append(announced.reservations, change.value.reservationRef, change.value);
    if (change.case === "ticketType") append(announced.types, change.value.ticketTypeId, change.value);
  }
  return announced;
}

function append<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
