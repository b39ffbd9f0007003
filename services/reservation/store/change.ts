import type { Database, Transaction } from "@boxoffice/platform/database.ts";
import {
  type ChangeOutcome,
  type ChangeRequest,
  type ChangeSnapshot,
  decideChanges,
} from "../domain/change.ts";
import type { Reservation } from "../domain/reservation.ts";
import { announceReservations } from "./changes.ts";
import {
  EVENT_COLUMNS,
  type EventRow,
  RESERVATION_COLUMNS,
  type ReservationRow,
  readItems,
  toEvent,
  toReservation,
} from "./rows.ts";
import { changeStock } from "./stock.ts";

export type ChangeOptions = { database: Database; newId: () => string };

/**
 * Changes reservations in one transaction: locks them, then their events, then reads the clock, decides, and moves
 * their tickets. Requests are decided in their order, each on its own.
 *
 * @returns what became of each request: result `i` belongs to request `i`
 */
export async function changeReservations(
  requests: readonly ChangeRequest[],
  { database, newId }: ChangeOptions,
): Promise<ChangeOutcome[]> {
  return database.transaction(async (tx) => {
    const snapshot = await lockReservations(tx, requests);
    const { outcomes, changed, versions, stock, aborted } = decideChanges(requests, snapshot);
    rememberAborts(tx, aborted, snapshot.now);
    if (changed.length > 0) {
      updateReservations(tx, changed);
      announceReservations(tx, newId, snapshot.now, versions);
      await changeStock(tx, newId, stock, snapshot.now);
    }
    return outcomes;
  });
}

/** Writes what may change of reservations that are locked. */
export function updateReservations(tx: Transaction, reservations: readonly Reservation[]): void {
  tx.write({
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

/**
 * Locks reservations and their events, each in the order of ids. The clock and the aborts are read by a statement
 * of their own afterwards: one that waited for a lock sees what was there before its wait.
 */
async function lockReservations(
  tx: Transaction,
  requests: readonly ChangeRequest[],
): Promise<ChangeSnapshot> {
  const ids = [...new Set(requests.map(({ reservationId }) => reservationId))];
  const paymentIds = requests.flatMap(({ paymentId }) => paymentId ?? []);
  const [rows, events, items, [clock]] = await Promise.all([
    tx.query<ReservationRow>({
      name: "lock-reservations",
      text: `
        select ${RESERVATION_COLUMNS} from reservation.reservations
        where reservation_id = any($1::uuid[]) order by reservation_id for update`,
      values: [ids],
    }),
    tx.query<EventRow>({
      name: "lock-events-of-reservations",
      text: `
        select ${EVENT_COLUMNS} from reservation.events
        where event_id in (select event_id from reservation.reservations where reservation_id = any($1::uuid[]))
        order by event_id for share`,
      values: [ids],
    }),
    readItems(tx, ids),
    tx.query<{ now: Date; aborted: string[] }>({
      name: "clock-and-aborts",
      text: `
        select reservation.clock() as now,
          array(select payment_id from reservation.aborted_payments where payment_id = any($1::uuid[])) as aborted`,
      values: [paymentIds],
    }),
  ]);
  if (clock === undefined) throw new Error("the clock does not answer");
  return {
    reservations: new Map(
      rows.map((row) => [row.reservation_id, toReservation(row, items.get(row.reservation_id) ?? [])]),
    ),
    events: new Map(events.map((row) => [row.event_id, toEvent(row)])),
    abortedPayments: new Set(clock.aborted),
    now: clock.now,
  };
}

function rememberAborts(
  tx: Transaction,
  aborted: readonly { paymentId: string; reservationId: string }[],
  now: Date,
): void {
  if (aborted.length === 0) return;
  tx.write({
    name: "remember-aborts",
    text: `
      insert into reservation.aborted_payments (payment_id, reservation_id, aborted_at)
      select payment_id, reservation_id, $3 from unnest($1::uuid[], $2::uuid[]) as a (payment_id, reservation_id)
      order by payment_id
      on conflict do nothing`,
    values: [
      aborted.map(({ paymentId }) => paymentId),
      aborted.map(({ reservationId }) => reservationId),
      now,
    ],
  });
}
