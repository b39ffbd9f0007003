import type { Database } from "@boxoffice/platform/database.ts";
import {
  type AsOf,
  atOneMoment,
  EVENT_COLUMNS,
  type EventRow,
  type EventStats,
  readStatsOf,
} from "./read.ts";

/** By what events are sorted: the most of it first. */
export const FIGURE_SORTS = ["RESERVED", "PAID", "REVENUE", "SELL_THROUGH"] as const;
export type FigureSort = (typeof FIGURE_SORTS)[number];

/** An event with what a list is sorted by, to go on behind it. */
export type Listed = EventStats & { sortValue: string };

export type EventStatsPage = {
  /** Those of the page and one more, if there is one. */
  events: Listed[];
  /** At most the size asked for, and less where the answer would grow too long. */
  size: number;
};

/** Events but drafts by the time they start, behind the one that the page before ended with. */
export function listEventStats(
  database: Database,
  after: { startsAt: Date; eventId: string } | undefined,
  size: number,
): Promise<AsOf<EventStatsPage>> {
  return readPage(database, size, {
    name: "list-events",
    text: `
      select ${EVENT_COLUMNS}, (extract(epoch from e.starts_at) * 1000)::int8::text as sort_value,
        (select count(*) from stats.live_ticket_types t where t.event_id = e.event_id) as ticket_types
      from stats.live_events e
      where e.state <> 'DRAFT'
        and ($1::timestamptz is null or (e.starts_at, e.event_id) > ($1, $2::uuid))
      order by e.starts_at, e.event_id
      limit $3`,
    values: [after?.startsAt ?? null, after?.eventId ?? null, size + 1],
  });
}

/** Events but drafts with the most of a figure first, behind the one that the page before ended with. */
export function listTopEventStats(
  database: Database,
  sort: FigureSort,
  after: { value: string; eventId: string } | undefined,
  size: number,
): Promise<AsOf<EventStatsPage>> {
  return readPage(database, size, {
    name: `list-events-by-${sort}`,
    text: `
      select ${EVENT_COLUMNS}, s.value::text as sort_value, s.ticket_types
      from stats.live_events e
      join lateral (
        select coalesce(${SORT_VALUES[sort]}, 0)::float8 as value, count(*) as ticket_types
        from stats.live_figures f where f.event_id = e.event_id
      ) s on true
      where e.state <> 'DRAFT'
        and ($1::float8 is null or s.value < $1 or (s.value = $1 and e.event_id > $2::uuid))
      order by s.value desc, e.event_id
      limit $3`,
    values: [after?.value ?? null, after?.eventId ?? null, size + 1],
  });
}

const SORT_VALUES: Record<FigureSort, string> = {
  RESERVED: "sum(f.held + f.paid)",
  PAID: "sum(f.paid)",
  REVENUE: "sum(f.revenue_minor)",
  SELL_THROUGH: "sum(f.paid)::float8 / nullif(sum(f.quantity), 0)::float8",
};

/** An answer must stay below the length of a message, and most of it is ticket types. */
const MAX_TICKET_TYPES = 5_000;

function readPage(
  database: Database,
  size: number,
  statement: { name: string; text: string; values: unknown[] },
): Promise<AsOf<EventStatsPage>> {
  return atOneMoment(database, async (on) => {
    const rows = await on.query<EventRow & { sort_value: string; ticket_types: bigint }>(statement);
    const fitting = Math.min(size, howManyFit(rows.map((row) => Number(row.ticket_types))));
    const stats = await readStatsOf(on, rows.slice(0, fitting + 1));
    return {
      events: stats.map((event, index) => ({ ...event, sortValue: rows[index]?.sort_value ?? "" })),
      size: fitting,
    };
  });
}

/** How many events, at least one, have no more ticket types together than an answer may hold. */
function howManyFit(ticketTypes: readonly number[]): number {
  let sum = 0;
  const tooMany = ticketTypes.findIndex((count) => {
    sum += count;
    return sum > MAX_TICKET_TYPES;
  });
  return tooMany === -1 ? ticketTypes.length : Math.max(tooMany, 1);
}
