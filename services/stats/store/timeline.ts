import type { Database } from "@boxoffice/platform/database.ts";
import type { FlowFigures } from "../domain/figures.ts";
import { ALL_EVENTS } from "../domain/flow.ts";
import type { Interval } from "../domain/intervals.ts";
import { FLOW_SUMS, type FlowRow, toFlow } from "./figure-rows.ts";
import { type AsOf, atOneMoment, eventNotFound } from "./read.ts";

/** The time by the database's clock, and the time zone of an event; UTC where all events are meant (null). */
export async function readClockOf(
  database: Database,
  eventId: string | null,
): Promise<{ now: Date; timeZone: string }> {
  const [row] = await database.query<{ now: Date; time_zone: string | null }>({
    name: "clock-of-event",
    text: `
      select stats.clock() as now,
        case when $1::uuid is null then 'UTC'
          else (select time_zone from stats.live_events where event_id = $1) end as time_zone`,
    values: [eventId],
  });
  if (row === undefined || row.time_zone === null) throw eventNotFound();
  return { now: row.now, timeZone: row.time_zone };
}

/** What happened between each bound and the next, of one event or of all (null). */
export function readTimeline(
  database: Database,
  eventId: string | null,
  interval: Interval,
  bounds: readonly number[],
): Promise<AsOf<FlowFigures[]>> {
  const times = bounds.map((ms) => new Date(ms).toISOString());
  return atOneMoment(database, async (on) => {
    const rows = await on.query<FlowRow & { number: number }>({
      name: "timeline",
      text: `
        select width_bucket(start_at, $3::timestamptz[]) as number, ${FLOW_SUMS}
        from stats.live_timeline
        where event_id = $1 and minutes = $2 and start_at >= $4 and start_at < $5
        group by number`,
      values: [eventId ?? ALL_EVENTS, interval === "MINUTE" ? 1 : 15, times, times.at(0), times.at(-1)],
    });
    const byNumber = new Map(rows.map((row) => [row.number, row]));
    return bounds.slice(1).map((_, index) => toFlow(byNumber.get(index + 1)));
  });
}
