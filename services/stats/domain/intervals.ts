import { DateTime, IANAZone } from "luxon";

export const INTERVALS = ["MINUTE", "HOUR", "DAY"] as const;
export type Interval = (typeof INTERVALS)[number];

/** An answer holds at most so many intervals. */
export const MAX_INTERVALS = 1_500;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How far back a timeline goes unless told: an hour by minutes, two days by hours, a month by days. */
export const DEFAULT_SPAN_MS: Record<Interval, number> = {
  MINUTE: 60 * MINUTE_MS,
  HOUR: 48 * HOUR_MS,
  DAY: 30 * 24 * HOUR_MS,
};

const UNITS = { MINUTE: "minute", HOUR: "hour", DAY: "day" } as const;

/** Of days alone some are longer than others: an hour takes an hour also when the clocks are changed. */
const LENGTH_MS = { MINUTE: MINUTE_MS, HOUR: HOUR_MS } as const;

/** Whether a name is that of a time zone in IANA's database. */
export const isTimeZone = (name: string): boolean => /^[A-Za-z]/.test(name) && IANAZone.isValidZone(name);

/**
 * The bounds of whole intervals, one after the other, that `fromMs` to `untilMs` lie in, by the clocks of a time zone:
 * a day begins when its date does, however long it is. In milliseconds since the epoch; `fromMs` is before `untilMs`.
 *
 * @returns undefined where they would be more than an answer holds
 */
export function boundsOf(
  interval: Interval,
  fromMs: number,
  untilMs: number,
  timeZone: string,
): number[] | undefined {
  const toNext = interval === "DAY" ? nextDay(timeZone) : (ms: number) => ms + LENGTH_MS[interval];
  const bounds = [DateTime.fromMillis(fromMs, { zone: timeZone }).startOf(UNITS[interval]).toMillis()];
  for (let last = bounds[0] ?? fromMs; last < untilMs; bounds.push(last)) {
    if (bounds.length > MAX_INTERVALS) return undefined;
    last = toNext(last);
  }
  return bounds;
}

const nextDay = (timeZone: string) => (ms: number) =>
  DateTime.fromMillis(ms, { zone: timeZone }).plus({ days: 1 }).startOf("day").toMillis();
