import type { Database, Transaction } from "@boxoffice/platform/database.ts";
import type { Reservation } from "../domain/reservation.ts";
import { moveTickets, type StockChanges } from "../domain/stock.ts";
import { announceReservations } from "./changes.ts";
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
    const ended = await endHolds(tx, newId, {
      name: "end-expired",
      which: `
        select reservation_id from reservation.reservations
        where state = 'HELD' and expires_at <= (select now from moment)
        order by expires_at
        limit $1
        for update skip locked`,
      values: [limit],
    });
    const lagsMs = ended.map(({ closedAt, expiresAt }) => Number(closedAt) - expiresAt.getTime());
    return { ended: ended.length, lagMs: Math.max(0, ...lagsMs) };
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
    const ended = await endHolds(tx, newId, {
      name: "end-expired-of-types",
      which: `
        select reservation_id from reservation.reservations r
        where state = 'HELD' and expires_at <= (select now from moment)
          and exists (
            select 1 from reservation.reservation_items i
            where i.reservation_id = r.reservation_id and i.ticket_type_id = any($2::uuid[]))
        order by expires_at
        limit $1
        for update of r skip locked`,
      values: [limit, ticketTypeIds],
    });
    return ended.length;
  });
}

/**
 * Releases holds of events that were cancelled, at most `limit` of them.
 *
 * @returns how many it released
 */
export async function releaseCancelled({ database, newId, limit }: SweepOptions): Promise<number> {
  // Asked alone, because there is hardly ever one: a join of the two tables may be planned the other way round, and
  // read every hold there is.
  const releasing = await database.query<{ event_id: string }>({
    name: "events-releasing",
    text: "select event_id from reservation.events where is_releasing",
  });
  if (releasing.length === 0) return 0;
  const eventIds = releasing.map(({ event_id }) => event_id);
  return database.transaction(async (tx) => {
    const ended = await endHolds(tx, newId, {
      name: "end-cancelled",
      which: `
        select reservation_id from reservation.reservations
        where event_id = any($2::uuid[]) and state = 'HELD'
        limit $1
        for update skip locked`,
      values: [limit, eventIds],
    });
    if (ended.length > 0) return ended.length;
    // Holds that somebody else has locked may still be there: an event is done when none is left.
    await tx.query({
      name: "events-released",
      text: `
        update reservation.events e set is_releasing = false
        where event_id = any($1::uuid[])
          and not exists (select from reservation.reservations r where r.event_id = e.event_id and r.state = 'HELD')`,
      values: [eventIds],
    });
    return 0;
  });
}

/** Reservations that differ in nothing but their ids, as one row. */
type EndedRow = {
  event_id: string;
  state: "EXPIRED" | "CANCELLED";
  version: number;
  total_minor: bigint;
  created_at: Date;
  expires_at: Date;
  closed_at: Date;
  /** [ticket type, quantity, unit price in cents] */
  items: [string, number, number][];
  reservation_ids: string;
};

/**
 * HELD → EXPIRED where its time is over, else CANCELLED, for the holds that `which` locks: a statement that may name
 * the time as `(select now from moment)`. Nothing waits for a lock here, so the time that is read before the locks
 * are taken is as good as one that is read after; and a hold that was over stays so. It is done in sets, and without
 * reading what is not needed, because tens of thousands of holds may end in the same second.
 */
async function endHolds(
  tx: Transaction,
  newId: () => string,
  { name, which, values }: { name: string; which: string; values: unknown[] },
): Promise<Reservation[]> {
  const rows = await tx.query<EndedRow>({
    name,
    text: `
      with moment as materialized (select reservation.clock() as now),
      taken as materialized (${which}),
      ended as (
        update reservation.reservations
        set state = case when expires_at <= now then 'EXPIRED' else 'CANCELLED' end, version = version + 1,
          closed_at = now
        from moment
        where reservation_id = any(array(select reservation_id from taken))
        returning reservation_id, event_id, state, version, total_minor, created_at, expires_at, closed_at
      )
      select event_id, state, version, total_minor, created_at, expires_at, closed_at, items::json,
        string_agg(reservation_id::text, ',') as reservation_ids
      from (
        select *,
          (select json_agg(json_build_array(ticket_type_id, quantity, unit_price_minor) order by ticket_type_id)::text
            from reservation.reservation_items i where i.reservation_id = ended.reservation_id) as items
        from ended) as described
      group by event_id, state, version, total_minor, created_at, expires_at, closed_at, items`,
    values,
  });
  const [first] = rows;
  if (first === undefined) return [];
  const ended = rows.flatMap(toReservations);
  const stock: StockChanges = new Map();
  for (const reservation of ended) moveTickets(stock, reservation, { from: "held", to: "available" });
  announceReservations(tx, newId, first.closed_at, ended);
  await changeStock(tx, newId, stock, first.closed_at);
  return ended;
}

/** As far as others are told of them: without their customers, and without the names of their tickets. */
function toReservations(row: EndedRow): Reservation[] {
  const alike = {
    eventId: row.event_id,
    state: row.state,
    version: row.version,
    items: row.items.map(([ticketTypeId, quantity, unitPriceMinor]) => ({
      ticketTypeId,
      name: "",
      category: "",
      quantity,
      unitPriceMinor: BigInt(unitPriceMinor),
    })),
    totalMinor: row.total_minor,
    customer: null,
    paymentId: null,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    paidAt: null,
    closedAt: row.closed_at,
  };
  return row.reservation_ids.split(",").map((reservationId) => ({ ...alike, reservationId }));
}
