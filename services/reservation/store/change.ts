import type { Database, Transaction } from "@boxoffice/platform/database.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import type { Reservation } from "../domain/reservation.ts";
import type { Facts, StockMove, Transition } from "../domain/transitions.ts";
import { announceReservations, announceTicketTypes } from "./changes.ts";
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

export type ChangeOptions = {
  database: Database;
  newId: () => string;
  reservationId: string;
  /** The payment in question; its abort is looked up. */
  paymentId?: string;
  /** Remembers that this payment may never begin. */
  abortsPayment?: boolean;
  /** Decides what becomes of the reservation, or refuses by throwing: then nothing is changed. */
  decide(facts: Facts): Transition;
};

/**
 * Changes one reservation in a transaction: locks it, then its event, then reads the clock, decides, and moves
 * its tickets.
 *
 * @returns the reservation as it is now, and the time by which it was decided
 * @throws BoxofficeError RESERVATION_NOT_FOUND, and what `decide` throws
 */
export async function changeReservation(
  options: ChangeOptions,
): Promise<{ reservation: Reservation; now: Date }> {
  return options.database.transaction(async (tx) => {
    const facts = await lockFacts(tx, options);
    const { reservation, move } = options.decide(facts);
    const writes: Promise<unknown>[] = [];
    if (options.abortsPayment) writes.push(rememberAbort(tx, options, facts.now));
    if (reservation.version !== facts.reservation.version) {
      writes.push(
        updateReservations(tx, [reservation]),
        announceReservations(tx, options.newId, facts.now, [reservation]),
      );
      if (move) writes.push(moveStock(tx, options.newId, [reservation], move, facts.now));
    }
    await Promise.all(writes);
    return { reservation, now: facts.now };
  });
}

/** Writes what may change of reservations that are locked. */
export async function updateReservations(
  tx: Transaction,
  reservations: readonly Reservation[],
): Promise<void> {
  await tx.query({
    name: "update-reservations",
    text: `
      update reservation.reservations r
      set state = d.state, version = d.version, payment_id = d.payment_id, paid_at = d.paid_at,
          closed_at = d.closed_at
      from unnest($1::uuid[], $2::text[], $3::int[], $4::uuid[], $5::timestamptz[], $6::timestamptz[])
        as d (reservation_id, state, version, payment_id, paid_at, closed_at)
      where r.reservation_id = d.reservation_id`,
    values: [
      reservations.map(({ reservationId }) => reservationId),
      reservations.map(({ state }) => state),
      reservations.map(({ version }) => version),
      reservations.map(({ paymentId }) => paymentId),
      reservations.map(({ paidAt }) => paidAt),
      reservations.map(({ closedAt }) => closedAt),
    ],
  });
}

/** Moves the tickets of reservations from one counter of the stock to another; locks the rows in id order first. */
export async function moveStock(
  tx: Transaction,
  newId: () => string,
  reservations: readonly Reservation[],
  { from, to }: StockMove,
  now: Date,
): Promise<void> {
  const quantities = new Map<string, number>();
  for (const { ticketTypeId, quantity } of reservations.flatMap(({ items }) => items)) {
    quantities.set(ticketTypeId, (quantities.get(ticketTypeId) ?? 0) + quantity);
  }
  const typeIds = [...quantities.keys()];
  const offSale = to === "off sale" ? 1 : 0;
  const locked = tx.query({
    name: "lock-stock-to-move",
    text: `
      select 1 from reservation.ticket_types
      where ticket_type_id = any($1::uuid[]) order by ticket_type_id for update`,
    values: [typeIds],
  });
  const moved = tx.query<TicketTypeRow>({
    name: "move-stock",
    text: `
      update reservation.ticket_types t
      set quantity = t.quantity - d.quantity * $6,
          available = t.available + d.quantity * $5,
          held = t.held - d.quantity * $3,
          paid = t.paid + d.quantity * $4,
          definition_version = t.definition_version + $6,
          stock_version = t.stock_version + 1,
          changed_at = $7
      from unnest($1::uuid[], $2::int[]) as d (ticket_type_id, quantity)
      where t.ticket_type_id = d.ticket_type_id
      returning t.*`,
    values: [
      typeIds,
      [...quantities.values()],
      from === "held" ? 1 : 0,
      (to === "paid" ? 1 : 0) - (from === "paid" ? 1 : 0),
      to === "available" ? 1 : 0,
      offSale,
      now,
    ],
  });
  const [, rows] = await Promise.all([locked, moved]);
  if (!offSale) return;
  for (const type of rows.map(toTicketType)) await announceTicketTypes(tx, newId, now, type.eventId, [type]);
}

async function lockFacts(tx: Transaction, { reservationId, paymentId }: ChangeOptions): Promise<Facts> {
  const [[row], [eventRow], items, [clock]] = await Promise.all([
    tx.query<ReservationRow>({
      name: "lock-reservation",
      text: `
        select ${RESERVATION_COLUMNS} from reservation.reservations
        where reservation_id = $1 for update`,
      values: [reservationId],
    }),
    tx.query<EventRow>({
      name: "lock-event-of-reservation",
      text: `
        select ${EVENT_COLUMNS} from reservation.events
        where event_id = (select event_id from reservation.reservations where reservation_id = $1)
        for share`,
      values: [reservationId],
    }),
    readItems(tx, [reservationId]),
    tx.query<{ now: Date; is_aborted: boolean }>({
      name: "clock-and-abort",
      text: `
        select reservation.clock() as now,
          exists (select 1 from reservation.aborted_payments where payment_id = $1) as is_aborted`,
      values: [paymentId ?? null],
    }),
  ]);
  if (row === undefined || eventRow === undefined || clock === undefined) throw notFound();
  return {
    reservation: toReservation(row, items.get(reservationId) ?? []),
    event: toEvent(eventRow),
    isAborted: clock.is_aborted,
    now: clock.now,
  };
}

async function rememberAbort(
  tx: Transaction,
  { paymentId, reservationId }: ChangeOptions,
  now: Date,
): Promise<void> {
  await tx.query({
    name: "remember-abort",
    text: `
      insert into reservation.aborted_payments (payment_id, reservation_id, aborted_at)
      values ($1, $2, $3) on conflict do nothing`,
    values: [paymentId, reservationId, now],
  });
}

/** An id that does not exist and one that is not yours look the same. */
export function notFound(): BoxofficeError {
  return new BoxofficeError("RESERVATION_NOT_FOUND", "There is no such reservation.");
}
