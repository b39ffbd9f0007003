import type { Database, Queryable } from "@boxoffice/platform/database.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import type { ReservationCounts } from "../domain/counts.ts";
import type { TicketFigures } from "../domain/figures.ts";

/** Figures with the time of the last change that they count, both of one moment; null before the first. */
export type AsOf<T> = { value: T; asOf: Date | null };

export type PaymentFailures = { reason: string; count: bigint };

export type Overview = {
  events: bigint;
  tickets: TicketFigures;
  reservations: ReservationCounts;
  paymentFailures: PaymentFailures[];
};

export type EventStats = {
  eventId: string;
  name: string;
  startsAt: Date;
  timeZone: string;
  ticketTypes: TicketTypeStats[];
  reservations: ReservationCounts;
  paymentFailures: PaymentFailures[];
};

export type TicketTypeStats = {
  ticketTypeId: string;
  name: string;
  category: string;
  tickets: TicketFigures;
};

export type CategoryStats = { category: string; events: bigint; tickets: TicketFigures };

/** All events but drafts, together. */
export function readOverview(database: Database): Promise<AsOf<Overview>> {
  return atOneMoment(database, async (on) => {
    const [[events], [tickets], [reservations], failures] = await Promise.all([
      on.query<{ events: bigint }>({
        name: "count-events",
        text: "select count(*) as events from stats.events where state <> 'DRAFT'",
      }),
      on.query<FiguresRow>({
        name: "overview-tickets",
        text: `
          select ${SUMS} from stats.ticket_type_figures f join stats.events e using (event_id)
          where e.state <> 'DRAFT'`,
      }),
      on.query<ReservationCountsRow>({
        name: "overview-reservations",
        text: `
          select ${["held", "paid", "expired", "cancelled", "ever_paid"]
            .map((column) => `coalesce(sum(c.${column}), 0)::int8 as ${column}`)
            .join(", ")}
          from stats.event_counts c join stats.events e using (event_id)
          where e.state <> 'DRAFT'`,
      }),
      on.query<PaymentFailures>({
        name: "overview-failures",
        text: `
          select f.reason, sum(f.failures)::int8 as count
          from stats.payment_failures f join stats.events e using (event_id)
          where e.state <> 'DRAFT' and f.failures > 0
          group by f.reason
          order by f.reason collate "C"`,
      }),
    ]);
    return {
      events: events?.events ?? 0n,
      tickets: toFigures(tickets),
      reservations: toReservationCounts(reservations),
      paymentFailures: failures,
    };
  });
}

/** @throws BoxofficeError EVENT_NOT_FOUND for an event of which nothing was heard yet */
export function readEventStats(database: Database, eventId: string): Promise<AsOf<EventStats>> {
  return atOneMoment(database, async (on) => {
    const rows = await on.query<EventRow>({
      name: "get-event",
      text: `select ${EVENT_COLUMNS} from stats.events e where e.event_id = $1`,
      values: [eventId],
    });
    const [stats] = await readStatsOf(on, rows);
    if (stats === undefined) throw new BoxofficeError("EVENT_NOT_FOUND", "There is no such event.");
    return stats;
  });
}

export type EventStatsPage = {
  /** Those of the page and one more, if there is one. */
  events: EventStats[];
  /** At most the size asked for, and less where the answer would grow too long. */
  size: number;
};

/** Events but drafts by the time they start, behind the one that the page before ended with. */
export function listEventStats(
  database: Database,
  after: { startsAt: Date; eventId: string } | undefined,
  size: number,
): Promise<AsOf<EventStatsPage>> {
  return atOneMoment(database, async (on) => {
    const rows = await on.query<EventRow & { ticket_types: bigint }>({
      name: "list-events",
      text: `
        select ${EVENT_COLUMNS},
          (select count(*) from stats.ticket_types t where t.event_id = e.event_id) as ticket_types
        from stats.events e
        where e.state <> 'DRAFT'
          and ($1::timestamptz is null or (e.starts_at, e.event_id) > ($1, $2::uuid))
        order by e.starts_at, e.event_id
        limit $3`,
      values: [after?.startsAt ?? null, after?.eventId ?? null, size + 1],
    });
    const fitting = Math.min(size, howManyFit(rows.map((row) => Number(row.ticket_types))));
    return { events: await readStatsOf(on, rows.slice(0, fitting + 1)), size: fitting };
  });
}

/** Zeros for a category that nobody has. */
export function readCategoryStats(database: Database, category: string): Promise<AsOf<CategoryStats>> {
  return atOneMoment(database, async (on) => {
    const [row] = await on.query<CategoryRow>({
      name: "get-category",
      text: `
        select f.category, count(distinct f.event_id) as events, ${SUMS}
        from stats.ticket_type_figures f join stats.events e using (event_id)
        where e.state <> 'DRAFT' and f.category = $1
        group by f.category`,
      values: [category],
    });
    return row === undefined ? { category, events: 0n, tickets: toFigures(undefined) } : toCategory(row);
  });
}

/** Categories by name, `limit` of them behind `after`. */
export function listCategoryStats(
  database: Database,
  after: string | undefined,
  limit: number,
): Promise<AsOf<CategoryStats[]>> {
  return atOneMoment(database, async (on) => {
    const rows = await on.query<CategoryRow>({
      name: "list-categories",
      text: `
        select f.category, count(distinct f.event_id) as events, ${SUMS}
        from stats.ticket_type_figures f join stats.events e using (event_id)
        where e.state <> 'DRAFT' and ($1::text is null or f.category > $1)
        group by f.category
        order by f.category
        limit $2`,
      values: [after ?? null, limit],
    });
    return rows.map(toCategory);
  });
}

/** Reads from one snapshot, so that totals, their parts and the time that goes with them agree. */
function atOneMoment<T>(database: Database, read: (on: Queryable) => Promise<T>): Promise<AsOf<T>> {
  return database.transaction(async (tx) => {
    const [, [progress], value] = await Promise.all([
      tx.query({ text: "set transaction isolation level repeatable read, read only" }),
      tx.query<{ as_of: Date | null }>({ name: "as-of", text: "select as_of from stats.progress" }),
      read(tx),
    ]);
    return { value, asOf: progress?.as_of ?? null };
  });
}

type EventRow = { event_id: string; name: string; starts_at: Date; time_zone: string };

const EVENT_COLUMNS = "e.event_id, e.name, e.starts_at, e.time_zone";

type ReservationCountsRow = {
  held: bigint;
  paid: bigint;
  expired: bigint;
  cancelled: bigint;
  ever_paid: bigint;
};

type FiguresRow = {
  quantity: bigint;
  available: bigint;
  held: bigint;
  paid: bigint;
  expired: bigint;
  cancelled: bigint;
  refunded: bigint;
  revenue_minor: bigint;
};

type CategoryRow = FiguresRow & { category: string; events: bigint };

const FIGURES = [
  "quantity",
  "available",
  "held",
  "paid",
  "expired",
  "cancelled",
  "refunded",
  "revenue_minor",
];

/** Of `stats.ticket_type_figures f`. */
const SUMS = FIGURES.map((column) => `coalesce(sum(f.${column}), 0)::int8 as ${column}`).join(", ");

/** An answer must stay below the length of a message, and most of it is ticket types. */
const MAX_TICKET_TYPES = 5_000;

/** How many events, at least one, have no more ticket types together than an answer may hold. */
function howManyFit(ticketTypes: readonly number[]): number {
  let sum = 0;
  const tooMany = ticketTypes.findIndex((count) => {
    sum += count;
    return sum > MAX_TICKET_TYPES;
  });
  return tooMany === -1 ? ticketTypes.length : Math.max(tooMany, 1);
}

async function readStatsOf(on: Queryable, events: readonly EventRow[]): Promise<EventStats[]> {
  const eventIds = events.map(({ event_id }) => event_id);
  const [types, counts, failures] = await Promise.all([
    on.query<FiguresRow & { ticket_type_id: string; event_id: string; name: string; category: string }>({
      name: "ticket-types-of-events",
      text: `
        select f.ticket_type_id, f.event_id, f.name, f.category, ${FIGURES.map((column) => `f.${column}`).join(", ")}
        from stats.ticket_type_figures f
        where f.event_id = any($1::uuid[])
        order by f.position, f.ticket_type_id`,
      values: [eventIds],
    }),
    on.query<ReservationCountsRow & { event_id: string }>({
      name: "counts-of-events",
      text: `
        select event_id, held, paid, expired, cancelled, ever_paid from stats.event_counts
        where event_id = any($1::uuid[])`,
      values: [eventIds],
    }),
    on.query<PaymentFailures & { event_id: string }>({
      name: "failures-of-events",
      text: `
        select event_id, reason, failures as count from stats.payment_failures
        where event_id = any($1::uuid[]) and failures > 0
        order by reason collate "C"`,
      values: [eventIds],
    }),
  ]);
  const typesOf = Map.groupBy(types, (row) => row.event_id);
  const countsOf = new Map(counts.map((row) => [row.event_id, row]));
  const failuresOf = Map.groupBy(failures, (row) => row.event_id);
  return events.map((row) => ({
    eventId: row.event_id,
    name: row.name,
    startsAt: row.starts_at,
    timeZone: row.time_zone,
    ticketTypes: (typesOf.get(row.event_id) ?? []).map((type) => ({
      ticketTypeId: type.ticket_type_id,
      name: type.name,
      category: type.category,
      tickets: toFigures(type),
    })),
    reservations: toReservationCounts(countsOf.get(row.event_id)),
    paymentFailures: (failuresOf.get(row.event_id) ?? []).map(({ reason, count }) => ({ reason, count })),
  }));
}

const toCategory = (row: CategoryRow): CategoryStats => ({
  category: row.category,
  events: row.events,
  tickets: toFigures(row),
});

const toFigures = (row: FiguresRow | undefined): TicketFigures => ({
  quantity: row?.quantity ?? 0n,
  available: row?.available ?? 0n,
  held: row?.held ?? 0n,
  paid: row?.paid ?? 0n,
  expired: row?.expired ?? 0n,
  cancelled: row?.cancelled ?? 0n,
  refunded: row?.refunded ?? 0n,
  revenueMinor: row?.revenue_minor ?? 0n,
});

const toReservationCounts = (row: ReservationCountsRow | undefined): ReservationCounts => ({
  held: row?.held ?? 0n,
  paid: row?.paid ?? 0n,
  expired: row?.expired ?? 0n,
  cancelled: row?.cancelled ?? 0n,
  everPaid: row?.ever_paid ?? 0n,
});
