import type { Queryable } from "@boxoffice/platform/database.ts";
import { pages } from "@boxoffice/platform/export.ts";
import type { Reservation } from "../domain/reservation.ts";
import type { TicketType } from "../domain/sale.ts";
import {
  RESERVATION_COLUMNS,
  type ReservationRow,
  readItems,
  TICKET_TYPE_COLUMNS,
  type TicketTypeRow,
  toReservation,
  toTicketType,
} from "./rows.ts";

/** Reservations at a time: with as many items as they can have, they stay well below the longest message. */
const PAGE_SIZE = 500;

/** Reservations of one page, and when it was read. */
export type ReservationPage = { reservations: Reservation[]; now: Date };

/** Every ticket type, or those of one event, in pages. */
export function allTicketTypes(on: Queryable, eventId: string | null): AsyncGenerator<TicketType[]> {
  return pages(
    async (after) => {
      const rows = await on.query<TicketTypeRow>({
        text: `
          select ${TICKET_TYPE_COLUMNS} from reservation.ticket_types
          where ($1::uuid is null or ticket_type_id > $1) ${eventId === null ? "" : "and event_id = $3"}
          order by ticket_type_id
          limit $2`,
        values: [after, PAGE_SIZE, ...(eventId === null ? [] : [eventId])],
      });
      return rows.map(toTicketType);
    },
    ({ ticketTypeId }) => ticketTypeId,
  );
}

/** Every reservation, or those of one event, oldest first, in pages. */
export async function* allReservations(
  on: Queryable,
  eventId: string | null,
): AsyncGenerator<ReservationPage> {
  const read = (after: string | null) =>
    on.query<ReservationRow & { now: Date }>({
      text: `
        select ${RESERVATION_COLUMNS}, clock.now
        from (select reservation.clock() as now offset 0) clock, reservation.reservations
        where ($1::uuid is null or reservation_id > $1) ${eventId === null ? "" : "and event_id = $3"}
        order by reservation_id
        limit $2`,
      values: [after, PAGE_SIZE, ...(eventId === null ? [] : [eventId])],
    });
  for await (const rows of pages(read, (row) => row.reservation_id)) {
    const items = await readItems(
      on,
      rows.map((row) => row.reservation_id),
    );
    yield {
      reservations: rows.map((row) => toReservation(row, items.get(row.reservation_id) ?? [])),
      now: rows[0]?.now ?? new Date(0),
    };
  }
}
