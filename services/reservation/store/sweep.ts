import type { Database, Transaction } from "@boxoffice/platform/database.ts";
import { type Reservation, stateAt } from "../domain/reservation.ts";
import { moveTickets, type StockChanges } from "../domain/stock.ts";
import { close } from "../domain/transitions.ts";
import { updateReservations } from "./change.ts";
import { announceReservations } from "./changes.ts";
import { RESERVATION_COLUMNS, type ReservationRow, readItems, toReservation } from "./rows.ts";
import { changeStock } from "./stock.ts";

export type SweepOptions = { database: Database; newId: () => string; limit: number };

/**
 * Ends holds whose time is over and puts their tickets on sale again, at most `limit` of them, those first that
 * ended first. What another replica is ending at this moment is left to it.
 *
 * @returns how many it ended, and how long the first of them had waited for it, in milliseconds
 */
export function sweepExpired({
  database,
  newId,
  limit,
}: SweepOptions): Promise<{ ended: number; lagMs: number }> {
  return database.transaction(async (tx) => {
    const rows = await tx.query<ReservationRow>({
      name: "take-expired",
      text: `
        select ${RESERVATION_COLUMNS} from reservation.reservations
        where state = 'HELD' and expires_at <= reservation.clock()
        order by expires_at
        limit $1
        for update skip locked`,
      values: [limit],
    });
    const [oldest] = rows;
    if (oldest === undefined) return { ended: 0, lagMs: 0 };
    const now = await closeRows(tx, newId, rows, "EXPIRED");
    return { ended: rows.length, lagMs: now.getTime() - oldest.expires_at.getTime() };
  });
}

/**
 * The same for holds on some ticket types only, for a sale that found one of them sold out: its tickets may be
 * behind a long queue of other types' holds.
 */
export function reclaimExpired(
  { database, newId, limit }: SweepOptions,
  ticketTypeIds: readonly string[],
): Promise<number> {
  return database.transaction(async (tx) => {
    const rows = await tx.query<ReservationRow>({
      name: "take-expired-of-types",
      text: `
        select ${RESERVATION_COLUMNS} from reservation.reservations r
        where state = 'HELD' and expires_at <= reservation.clock()
          and exists (
            select 1 from reservation.reservation_items i
            where i.reservation_id = r.reservation_id and i.ticket_type_id = any($1::uuid[]))
        order by expires_at
        limit $2
        for update of r skip locked`,
      values: [ticketTypeIds, limit],
    });
    if (rows.length > 0) await closeRows(tx, newId, rows, "EXPIRED");
    return rows.length;
  });
}

/**
 * Releases holds of events that were cancelled, at most `limit` of one event.
 *
 * @returns how many it released
 */
export function releaseCancelled({ database, newId, limit }: SweepOptions): Promise<number> {
  return database.transaction(async (tx) => {
    const [event] = await tx.query<{ event_id: string }>({
      name: "event-to-release",
      text: "select event_id from reservation.events where is_releasing order by event_id limit 1",
    });
    if (event === undefined) return 0;
    const rows = await tx.query<ReservationRow>({
      name: "take-holds-of-event",
      text: `
        select ${RESERVATION_COLUMNS} from reservation.reservations
        where event_id = $1 and state = 'HELD'
        order by reservation_id
        limit $2
        for update skip locked`,
      values: [event.event_id, limit],
    });
    if (rows.length > 0) {
      await closeRows(tx, newId, rows, "CANCELLED");
      return rows.length;
    }
    // Holds that somebody else has locked may still be there: the event is done when none is left.
    await tx.query({
      name: "event-released",
      text: `
        update reservation.events set is_releasing = false
        where event_id = $1
          and not exists (select 1 from reservation.reservations where event_id = $1 and state = 'HELD')`,
      values: [event.event_id],
    });
    return 0;
  });
}

/** @returns when it did so */
async function closeRows(
  tx: Transaction,
  newId: () => string,
  rows: readonly ReservationRow[],
  state: "EXPIRED" | "CANCELLED",
): Promise<Date> {
  const [items, [clock]] = await Promise.all([
    readItems(
      tx,
      rows.map((row) => row.reservation_id),
    ),
    tx.query<{ now: Date }>({ name: "clock", text: "select reservation.clock() as now" }),
  ]);
  if (clock === undefined) throw new Error("the clock does not answer");
  const { now } = clock;
  const stock: StockChanges = new Map();
  const closed: Reservation[] = rows.map((row) => {
    const before = toReservation(row, items.get(row.reservation_id) ?? []);
    const end = stateAt(before, now) === "EXPIRED" ? "EXPIRED" : state; // it may have been read as such
    const { reservation, move } = close(before, end, now);
    if (move) moveTickets(stock, reservation, move);
    return reservation;
  });
  updateReservations(tx, closed);
  announceReservations(tx, newId, now, closed);
  await changeStock(tx, newId, stock, now);
  return now;
}
