import type { Queryable } from "@boxoffice/platform/database.ts";
import { type Reservation, type ReservationState, reservationNotFound } from "../domain/reservation.ts";
import { type EventSale, eventNotFound, type TicketType } from "../domain/sale.ts";
import {
  EVENT_COLUMNS,
  type EventRow,
  RESERVATION_COLUMNS,
  type ReservationRow,
  readItems,
  type TicketTypeRow,
  toEvent,
  toReservation,
  toTicketType,
} from "./rows.ts";

/** What is read together with the database's time, by which holds are judged. */
export type At<T> = { value: T; now: Date };

/** @throws BoxofficeError RESERVATION_NOT_FOUND */
export async function getReservation(on: Queryable, reservationId: string): Promise<At<Reservation>> {
  const { value, now } = await getReservations(on, [reservationId]);
  const reservation = value.get(reservationId);
  if (reservation === undefined) throw reservationNotFound();
  return { value: reservation, now };
}

/** Those of some reservations that exist, by id. */
export async function getReservations(
  on: Queryable,
  reservationIds: readonly string[],
): Promise<At<Map<string, Reservation>>> {
  const rows = await on.query<ReservationRow & { now: Date }>({
    name: "get-reservations",
    text: `
      select ${RESERVATION_COLUMNS}, reservation.clock() as now from reservation.reservations
      where reservation_id = any($1::uuid[])`,
    values: [reservationIds],
  });
  const items = await readItems(on, reservationIds);
  return {
    value: new Map(
      rows.map((row) => [row.reservation_id, toReservation(row, items.get(row.reservation_id) ?? [])]),
    ),
    now: rows[0]?.now ?? new Date(0),
  };
}

export type ReservationFilter = {
  eventId: string | null;
  states: readonly ReservationState[];
  email: string | null;
  createdFrom: Date | null;
  createdUntil: Date | null;
};

/** Newest first, `limit` of them after the one with the id `after`. States are those that readers are told. */
export async function listReservations(
  on: Queryable,
  filter: ReservationFilter,
  after: string | undefined,
  limit: number,
): Promise<At<Reservation[]>> {
  const rows = await on.query<ReservationRow & { now: Date }>({
    text: `
      with clock as materialized (select reservation.clock() as now)
      select ${RESERVATION_COLUMNS}, now from reservation.reservations, clock
      where ($1::uuid is null or event_id = $1)
        and (cardinality($2::text[]) = 0
          or case when state = 'HELD' and expires_at <= now then 'EXPIRED' else state end = any($2))
        and ($3::text is null or lower(customer_email) = lower($3))
        and ($4::timestamptz is null or created_at >= $4)
        and ($5::timestamptz is null or created_at < $5)
        and ($6::uuid is null or reservation_id < $6)
      order by reservation_id desc
      limit $7`,
    values: [
      filter.eventId,
      filter.states,
      filter.email,
      filter.createdFrom,
      filter.createdUntil,
      after ?? null,
      limit,
    ],
  });
  const items = await readItems(
    on,
    rows.map((row) => row.reservation_id),
  );
  return {
    value: rows.map((row) => toReservation(row, items.get(row.reservation_id) ?? [])),
    now: rows[0]?.now ?? new Date(0),
  };
}

/** A ticket type with what its ended holds give back, swept or not. */
export type AvailableTicketType = { type: TicketType; available: number; lastExpiry: Date | null };

/** @throws BoxofficeError EVENT_NOT_FOUND */
export async function getAvailability(
  on: Queryable,
  eventId: string,
): Promise<At<{ event: EventSale; types: AvailableTicketType[] }>> {
  // One statement, so that the stock and the holds are of the same moment.
  const rows = await on.query<
    { [Column in keyof TicketTypeRow]: TicketTypeRow[Column] | null } & {
      event: unknown;
      e_event_id: string;
      e_version: bigint;
      e_starts_at: Date;
      e_is_paused: boolean;
      e_is_cancelled: boolean;
      e_changed_at: Date;
      ended: number | null;
      last_expiry: Date | null;
      now: Date;
    }
  >({
    name: "availability",
    text: `
      with clock as materialized (select reservation.clock() as now),
      ended as (
        select i.ticket_type_id, sum(i.quantity)::int as ended, max(r.expires_at) as last_expiry
        from reservation.reservations r
        join reservation.reservation_items i using (reservation_id)
        where r.state = 'HELD' and r.expires_at <= (select now from clock) and r.event_id = $1
        group by i.ticket_type_id
      )
      select t.*, ended.ended, ended.last_expiry, clock.now,
        ${EVENT_COLUMNS.split(", ")
          .map((column) => `e.${column} as e_${column}`)
          .join(", ")}
      from clock
      join reservation.events e on e.event_id = $1
      left join reservation.ticket_types t on t.event_id = e.event_id
      left join ended on ended.ticket_type_id = t.ticket_type_id
      order by t.position, t.ticket_type_id`,
    values: [eventId],
  });
  const [first] = rows;
  if (first === undefined) throw eventNotFound();
  const event = toEvent({
    event_id: first.e_event_id,
    version: first.e_version,
    starts_at: first.e_starts_at,
    is_paused: first.e_is_paused,
    is_cancelled: first.e_is_cancelled,
    changed_at: first.e_changed_at,
  });
  const types = rows
    .filter((row) => row.ticket_type_id !== null)
    .map((row) => {
      const type = toTicketType(row as TicketTypeRow);
      return { type, available: type.available + (row.ended ?? 0), lastExpiry: row.last_expiry };
    });
  return { value: { event, types }, now: first.now };
}

/** @throws BoxofficeError EVENT_NOT_FOUND */
export async function getSale(on: Queryable, eventId: string): Promise<EventSale> {
  const [row] = await on.query<EventRow>({
    text: `select ${EVENT_COLUMNS} from reservation.events where event_id = $1`,
    values: [eventId],
  });
  if (row === undefined) throw eventNotFound();
  return toEvent(row);
}

export type Counts = { quantity: number; available: number; held: number; paid: number };

export type Recount = { ticketTypeId: string; name: string; booked: Counts; counted: Counts };

/**
 * The stock of an event as it is booked, and counted again from its reservations, both of one moment.
 *
 * @throws BoxofficeError EVENT_NOT_FOUND
 */
export async function recount(on: Queryable, eventId: string): Promise<Recount[]> {
  await getSale(on, eventId);
  const rows = await on.query<
    Counts & { ticket_type_id: string; name: string; is_held: number; is_paid: number }
  >({
    text: `
      select t.ticket_type_id, t.name, t.quantity, t.available, t.held, t.paid,
        coalesce(c.held, 0) as is_held, coalesce(c.paid, 0) as is_paid
      from reservation.ticket_types t
      left join (
        select i.ticket_type_id,
          sum(i.quantity) filter (where r.state in ('HELD', 'PAYING'))::int as held,
          sum(i.quantity) filter (where r.state = 'PAID')::int as paid
        from reservation.reservations r
        join reservation.reservation_items i using (reservation_id)
        where r.event_id = $1
        group by i.ticket_type_id
      ) c using (ticket_type_id)
      where t.event_id = $1
      order by t.position, t.ticket_type_id`,
    values: [eventId],
  });
  return rows.map(({ ticket_type_id, name, quantity, available, held, paid, is_held, is_paid }) => ({
    ticketTypeId: ticket_type_id,
    name,
    booked: { quantity, available, held, paid },
    counted: { quantity, available: quantity - is_held - is_paid, held: is_held, paid: is_paid },
  }));
}
