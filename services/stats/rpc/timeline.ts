import type { Database } from "@boxoffice/platform/database.ts";
import { invalidField } from "@boxoffice/platform/errors.ts";
import { parseId, parseOptionalTime } from "@boxoffice/platform/parse.ts";
import {
  type GetSalesTimelineRequest,
  type GetSalesTimelineResponseSchema,
  TimelineInterval,
} from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  boundsOf,
  DEFAULT_SPAN_MS,
  INTERVALS,
  type Interval,
  isTimeZone,
  MAX_INTERVALS,
} from "../domain/intervals.ts";
import { readClockOf, readTimeline } from "../store/timeline.ts";
import { toAsOf, toSalesFlow } from "./messages.ts";

/** @throws BoxofficeError INVALID_REQUEST, EVENT_NOT_FOUND */
export async function getSalesTimeline(
  database: Database,
  request: GetSalesTimelineRequest,
): Promise<MessageInitShape<typeof GetSalesTimelineResponseSchema>> {
  const eventId = request.eventId === "" ? null : parseId(request.eventId);
  const given = {
    from: parseOptionalTime("from", request.from),
    until: parseOptionalTime("until", request.until),
  };
  if (request.timeZone !== "" && !isTimeZone(request.timeZone)) {
    throw invalidField("time_zone", 'must be the IANA name of a time zone, for example "Europe/Berlin"');
  }
  const clock = await readClockOf(database, eventId);
  const timeZone = request.timeZone || clock.timeZone;
  const interval = parseInterval(request.interval);
  const untilMs = (given.until ?? clock.now).getTime();
  const fromMs = given.from?.getTime() ?? untilMs - DEFAULT_SPAN_MS[interval];
  if (fromMs >= untilMs) throw invalidField("from", "must be before until");
  const bounds = boundsOf(interval, fromMs, untilMs, timeZone);
  if (bounds === undefined) {
    throw invalidField("from", `must be at most ${MAX_INTERVALS} intervals before until`);
  }
  const { value: flows, asOf } = await readTimeline(database, eventId, interval, bounds);
  return {
    intervals: flows.map((flow, index) => ({
      startTime: timestampFromMs(bounds[index] ?? 0),
      endTime: timestampFromMs(bounds[index + 1] ?? 0),
      sales: toSalesFlow(flow),
    })),
    timeZone,
    ...toAsOf(asOf),
  };
}

function parseInterval(interval: TimelineInterval): Interval {
  const known = INTERVALS.find((name) => TimelineInterval[name] === interval);
  if (known === undefined) throw new Error("the contract's rules let only known intervals through");
  return known;
}
