import type { Database, Queryable } from "@boxoffice/platform/database.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import type { FlowFigures, ReservationFigures, TicketFigures } from "../domain/figures.ts";
import { ALL_EVENTS } from "../domain/flow.ts";
import { timeOf } from "../domain/pay-time.ts";
import {
  FIGURE_COLUMNS,
  type FiguresRow,
  FLOW_SUMS,
  type FlowRow,
  type ReservationCountsRow,
  SUMS,
  toFigures,
  toFlow,
  toReservationFigures,
} from "./figure-rows.ts";

/**
 * Figures with the time of the last change that they count, both of one moment; null before the first. A later moment
 * has no lower revision.
 */
export type AsOf<T> = { value: T; asOf: Date | null; revision: bigint };

export type PaymentFailures = { reason: string; count: bigint };

/** How long reservations took to be paid: null where none was. */
export type TimeToPay = { reservations: bigint; medianMs: number; p95Ms: number } | null;

/** What stands beside the tickets of one event, or of all. */
export type Beside = {
  reservations: ReservationFigures;
  paymentFailures: PaymentFailures[];
  timeToPay: TimeToPay;
  lastHour: FlowFigures;
  hourBefore: FlowFigures;
};

export type Overview = Beside & { events: bigint; tickets: TicketFigures };

export type EventStats = Beside & {
  eventId: string;
  name: string;
  startsAt: Date;
  timeZone: string;
  ticketTypes: TicketTypeStats[];
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
    const [[events], [tickets], [reservations], failures, payTimes, hours] = await Promise.all([
      on.query<{ events: bigint }>({
        name: "count-events",
        text: "select count(*) as events from stats.live_events where state <> 'DRAFT'",
      }),
      on.query<FiguresRow>({
        name: "overview-tickets",
        text: `
          select ${SUMS} from stats.live_figures f join stats.live_events e using (event_id)
          where e.state <> 'DRAFT'`,
      }),
      on.query<ReservationCountsRow>({
        name: "overview-reservations",
        text: `
          select ${["held", "paid", "expired", "cancelled", "ever_paid"]
            .map((column) => `coalesce(sum(c.${column}), 0)::int8 as ${column}`)
            .join(", ")}
          from stats.live_event_counts c join stats.live_events e using (event_id)
          where e.state <> 'DRAFT'`,
      }),
      on.query<PaymentFailures>({
        name: "overview-failures",
        text: `
          select f.reason, sum(f.failures)::int8 as count
          from stats.live_payment_failures f join stats.live_events e using (event_id)
          where e.state <> 'DRAFT' and f.failures > 0
          group by f.reason
          order by f.reason collate "C"`,
      }),
      readPayTimes(on, [ALL_EVENTS]),
      readHours(on, [ALL_EVENTS]),
    ]);
    return {
      events: events?.events ?? 0n,
      tickets: toFigures(tickets),
      reservations: toReservationFigures(reservations),
      paymentFailures: failures,
      timeToPay: payTimes.get(ALL_EVENTS) ?? null,
      ...hoursOf(hours.get(ALL_EVENTS)),
    };
  });
}

/** @throws BoxofficeError EVENT_NOT_FOUND for an event of which nothing was heard yet */
export async function readEventStats(database: Database, eventId: string): Promise<AsOf<EventStats>> {
  const { value, ...moment } = await readSomeEventStats(database, [eventId]);
  const stats = value.get(eventId);
  if (stats === undefined) throw eventNotFound();
  return { value: stats, ...moment };
}

/** Of those of some events of which something was heard, by id. */
export function readSomeEventStats(
  database: Database,
  eventIds: readonly string[],
): Promise<AsOf<Map<string, EventStats>>> {
  return atOneMoment(database, async (on) => {
    const rows = await on.query<EventRow>({
      name: "get-events",
      text: `select ${EVENT_COLUMNS} from stats.live_events e where e.event_id = any($1::uuid[])`,
      values: [eventIds],
    });
    return new Map((await readStatsOf(on, rows)).map((stats) => [stats.eventId, stats]));
  });
}

/** Rises whenever a figure has changed: a cheap way to see that none has. */
export async function readRevision(on: Queryable): Promise<bigint> {
  const [row] = await on.query<{ revision: bigint }>({
    name: "revision",
    text: "select revision from stats.progress",
  });
  return row?.revision ?? 0n;
}

/** Zeros for a category that nobody has. */
export function readCategoryStats(database: Database, category: string): Promise<AsOf<CategoryStats>> {
  return atOneMoment(database, async (on) => {
    const [row] = await on.query<CategoryRow>({
      name: "get-category",
      text: `
        select f.category, count(distinct f.event_id) as events, ${SUMS}
        from stats.live_figures f join stats.live_events e using (event_id)
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
        from stats.live_figures f join stats.live_events e using (event_id)
        where e.state <> 'DRAFT' and ($1::text is null or f.category > $1)
        group by f.category
        order by f.category
        limit $2`,
      values: [after ?? null, limit],
    });
    return rows.map(toCategory);
  });
}

export function eventNotFound(): BoxofficeError {
  return new BoxofficeError("EVENT_NOT_FOUND", "There is no such event.");
}

/** Reads from one snapshot, so that totals, their parts and the time that goes with them agree. */
export function atOneMoment<T>(database: Database, read: (on: Queryable) => Promise<T>): Promise<AsOf<T>> {
  return database.transaction(async (tx) => {
    const [, [progress], value] = await Promise.all([
      tx.query({ text: "set transaction isolation level repeatable read, read only" }),
      tx.query<{ as_of: Date | null; revision: bigint }>({
        name: "as-of",
        text: "select as_of, revision from stats.progress",
      }),
      read(tx),
    ]);
    return { value, asOf: progress?.as_of ?? null, revision: progress?.revision ?? 0n };
  });
}

export type EventRow = { event_id: string; name: string; starts_at: Date; time_zone: string };

/** Of `stats.live_events e`. */
export const EVENT_COLUMNS = "e.event_id, e.name, e.starts_at, e.time_zone";

type CategoryRow = FiguresRow & { category: string; events: bigint };

export async function readStatsOf(on: Queryable, events: readonly EventRow[]): Promise<EventStats[]> {
  const eventIds = events.map(({ event_id }) => event_id);
  const [types, counts, failures, payTimes, hours] = await Promise.all([
    on.query<FiguresRow & { ticket_type_id: string; event_id: string; name: string; category: string }>({
      name: "ticket-types-of-events",
      text: `
        select f.ticket_type_id, f.event_id, f.name, f.category, ${FIGURE_COLUMNS}
        from stats.live_figures f
        where f.event_id = any($1::uuid[])
        order by f.position, f.ticket_type_id`,
      values: [eventIds],
    }),
    on.query<ReservationCountsRow & { event_id: string }>({
      name: "counts-of-events",
      text: `
        select event_id, held, paid, expired, cancelled, ever_paid from stats.live_event_counts
        where event_id = any($1::uuid[])`,
      values: [eventIds],
    }),
    on.query<PaymentFailures & { event_id: string }>({
      name: "failures-of-events",
      text: `
        select event_id, reason, failures as count from stats.live_payment_failures
        where event_id = any($1::uuid[]) and failures > 0
        order by reason collate "C"`,
      values: [eventIds],
    }),
    readPayTimes(on, eventIds),
    readHours(on, eventIds),
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
    reservations: toReservationFigures(countsOf.get(row.event_id)),
    paymentFailures: (failuresOf.get(row.event_id) ?? []).map(({ reason, count }) => ({ reason, count })),
    timeToPay: payTimes.get(row.event_id) ?? null,
    ...hoursOf(hours.get(row.event_id)),
  }));
}

/** How long reservations took to be paid: the buckets that half of them, and 95 %, do not exceed. */
async function readPayTimes(
  on: Queryable,
  eventIds: readonly string[],
): Promise<Map<string, NonNullable<TimeToPay>>> {
  const rows = await on.query<{ event_id: string; total: bigint; median: number; p95: number }>({
    name: "pay-times-of-events",
    text: `
      select event_id, max(total)::int8 as total,
        min(bucket) filter (where so_far * 2 >= total) as median,
        min(bucket) filter (where so_far * 20 >= total * 19) as p95
      from (
        select event_id, bucket, sum(reservations) over (partition by event_id order by bucket) as so_far,
          sum(reservations) over (partition by event_id) as total
        from stats.live_pay_times
        where event_id = any($1::uuid[]) and reservations > 0
      ) buckets
      group by event_id`,
    values: [eventIds],
  });
  return new Map(
    rows.map(({ event_id, total, median, p95 }) => [
      event_id,
      { reservations: total, medianMs: timeOf(median), p95Ms: timeOf(p95) },
    ]),
  );
}

type HoursRow = FlowRow & { event_id: string; is_last: boolean };

/** What happened in the last 60 minutes, the one under way among them, and in the 60 before. */
async function readHours(on: Queryable, eventIds: readonly string[]): Promise<Map<string, HoursRow[]>> {
  const rows = await on.query<HoursRow>({
    name: "hours-of-events",
    text: `
      with clock as materialized (select date_trunc('minute', stats.clock()) as minute)
      select event_id, start_at > clock.minute - interval '60 minutes' as is_last, ${FLOW_SUMS}
      from clock, stats.live_timeline
      where event_id = any($1::uuid[]) and minutes = 1
        and start_at > clock.minute - interval '120 minutes' and start_at <= clock.minute
      group by event_id, is_last`,
    values: [eventIds],
  });
  return Map.groupBy(rows, (row) => row.event_id);
}

const hoursOf = (rows: readonly HoursRow[] | undefined) => ({
  lastHour: toFlow(rows?.find((row) => row.is_last)),
  hourBefore: toFlow(rows?.find((row) => !row.is_last)),
});

const toCategory = (row: CategoryRow): CategoryStats => ({
  category: row.category,
  events: row.events,
  tickets: toFigures(row),
});
