import type { Money } from "@boxoffice/proto/boxoffice/common/v1/money_pb.ts";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampMs } from "../api/timestamp.ts";
import type { Messages } from "./en.ts";

/** Numbers, prices and times as the reader writes them. Times of an event are in the event's own time zone. */
export type Formats = {
  count(value: number | bigint): string;
  /** With at most one digit after the point. */
  decimal(value: number): string;
  percent(share: number): string;
  money(amount: Money | undefined): string;
  /** An amount in EUR cents. */
  cents(minorUnits: bigint): string;
  /** As {@link money}, with a word instead of a zero. */
  price(amount: Money | undefined): string;
  /** "Saturday, 9 January 2027 at 19:30 CET" */
  dateTime(time: Timestamp, timeZone: string): string;
  /** "Sat, 9 Jan 2027, 19:30 CET" */
  shortDateTime(time: Timestamp, timeZone: string): string;
  /** "9 Jan, 19:30 CET", where there is little room and the year goes without saying. */
  dayAndTime(time: Timestamp, timeZone: string): string;
  /** "9" and "Jan", for the calendar leaf of an event. */
  dayAndMonth(time: Timestamp, timeZone: string): { day: string; month: string };
  /** In the reader's own time zone: when something happened, for operators. */
  moment(time: Timestamp): string;
  /** "1 min 20 sec", of milliseconds. */
  duration(ms: number): string;
};

/** Of every currency that the box office knows, the minor unit is a hundredth. */
const MINOR_UNITS = 100;

export function formatsFor(locale: string, messages: Messages): Formats {
  const counts = new Intl.NumberFormat(locale);
  const decimals = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const percents = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  const moments = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
  const money = (amount: Money | undefined): string => {
    if (amount === undefined) return "";
    const currency = amount.currencyCode || "EUR";
    return new Intl.NumberFormat(locale, { style: "currency", currency }).format(
      Number(amount.minorUnits) / MINOR_UNITS,
    );
  };
  const inZone = (time: Timestamp, timeZone: string, options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat(locale, { ...options, timeZone: known(timeZone) }).format(timestampMs(time));
  return {
    count: (value) => counts.format(value),
    decimal: (value) => decimals.format(value),
    percent: (share) => percents.format(share),
    money,
    cents: (minorUnits) => money({ $typeName: "boxoffice.common.v1.Money", currencyCode: "EUR", minorUnits }),
    price: (amount) => (amount?.minorUnits === 0n ? messages.free : money(amount)),
    dateTime: (time, timeZone) => inZone(time, timeZone, LONG),
    shortDateTime: (time, timeZone) => inZone(time, timeZone, SHORT),
    dayAndTime: (time, timeZone) => inZone(time, timeZone, BRIEF),
    dayAndMonth: (time, timeZone) => ({
      day: inZone(time, timeZone, { day: "numeric" }).replace(/\D/g, ""),
      month: inZone(time, timeZone, { month: "short" }),
    }),
    moment: (time) => moments.format(timestampMs(time)),
    duration: (ms) => duration(ms, locale),
  };
}

const CLOCK = { hour: "2-digit", minute: "2-digit", timeZoneName: "short" } as const;
const LONG = { weekday: "long", day: "numeric", month: "long", year: "numeric", ...CLOCK } as const;
const SHORT = { weekday: "short", day: "numeric", month: "short", year: "numeric", ...CLOCK } as const;
const BRIEF = { day: "numeric", month: "short", ...CLOCK } as const;

const SECONDS_OF_A_MINUTE = 60;

/** Below so many seconds their tenths matter. */
const SHORT_SECONDS = 10;

function duration(ms: number, locale: string): string {
  const unit = (value: number, name: "minute" | "second"): string =>
    new Intl.NumberFormat(locale, {
      style: "unit",
      unit: name,
      unitDisplay: "short",
      maximumFractionDigits: 1,
    }).format(value);
  if (ms < SHORT_SECONDS * 1000) return unit(ms / 1000, "second");
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / SECONDS_OF_A_MINUTE);
  const rest = unit(seconds % SECONDS_OF_A_MINUTE, "second");
  return minutes === 0 ? rest : `${unit(minutes, "minute")} ${rest}`;
}

/** A browser may know fewer zones than the box office. */
function known(timeZone: string): string {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return timeZone;
  } catch {
    return "UTC";
  }
}

/** Time left as a clock shows it: "14:59", or "3 d 04:05:06" with `days` in words. */
export function clock(leftMs: number): { days: number; clock: string } {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  const hours = Math.floor(seconds / 3600) % 24;
  const days = Math.floor(seconds / 86_400);
  if (days > 0 || hours > 0) parts.unshift(hours);
  return { days, clock: parts.map((part) => String(part).padStart(2, "0")).join(":") };
}
