import { type Cell, csvAmount, csvLines } from "@boxoffice/platform/csv.ts";
import type { Database } from "@boxoffice/platform/database.ts";
import { toBatches } from "@boxoffice/platform/export.ts";
import { CURRENCY } from "@boxoffice/platform/parse.ts";
import type { ChangeBatch } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { type Reservation, type ReservationState, stateAt } from "../domain/reservation.ts";
import { reservationChange, ticketTypeChange } from "../store/changes.ts";
import { allReservations, allTicketTypes } from "../store/export.ts";
import { getSale } from "../store/read.ts";

/** Every ticket type, then every reservation, as their changes tell them; of one event or of all (null). */
export async function* exportChanges(
  database: Database,
  eventId: string | null,
): AsyncGenerator<ChangeBatch[]> {
  for await (const types of allTicketTypes(database, eventId)) {
    yield toBatches(types.map((type) => ({ eventId: type.eventId, change: ticketTypeChange(type) })));
  }
  for await (const { reservations } of allReservations(database, eventId)) {
    yield toBatches(
      reservations.map((reservation) => ({
        eventId: reservation.eventId,
        change: reservationChange(reservation),
      })),
    );
  }
}

const HEADER = [
  "reservation_id",
  "state",
  "create_time",
  "expire_time",
  "pay_time",
  "close_time",
  "customer_name",
  "customer_email",
  "ticket_type",
  "category",
  "quantity",
  "unit_price",
  "amount",
  "currency",
  "payment_id",
];

/**
 * An event's reservations as CSV, a line for each of their ticket types.
 *
 * @param states those to write, as readers are told; all where there are none
 * @throws BoxofficeError EVENT_NOT_FOUND
 */
export async function* reservationsCsv(
  database: Database,
  eventId: string,
  states: readonly ReservationState[],
): AsyncGenerator<string> {
  await getSale(database, eventId);
  yield csvLines([HEADER]);
  for await (const { reservations, now } of allReservations(database, eventId)) {
    const lines = reservations
      .map((reservation) => ({ ...reservation, state: stateAt(reservation, now) }))
      .filter(({ state }) => states.length === 0 || states.includes(state))
      .flatMap(linesOf);
    if (lines.length > 0) yield csvLines(lines);
  }
}

const linesOf = (reservation: Reservation): Cell[][] =>
  reservation.items.map(({ name, category, quantity, unitPriceMinor }) => [
    reservation.reservationId,
    reservation.state,
    reservation.createdAt,
    reservation.expiresAt,
    reservation.paidAt,
    reservation.closedAt,
    reservation.customer?.name,
    reservation.customer?.email,
    name,
    category,
    quantity,
    csvAmount(unitPriceMinor),
    csvAmount(unitPriceMinor * BigInt(quantity)),
    CURRENCY,
    reservation.paymentId,
  ]);
