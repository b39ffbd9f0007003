import type { Money } from "@boxoffice/proto/boxoffice/common/v1/money_pb.ts";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";

/** "49.00 EUR"; "" where there is none. */
export function showMoney(money: Money | undefined): string {
  if (money === undefined) return "";
  const cents = String(money.minorUnits).padStart(3, "0");
  return `${cents.slice(0, -2)}.${cents.slice(-2)} ${money.currencyCode}`;
}

/** In UTC, to the second; "" where there is none. */
export function showTime(time: Timestamp | undefined): string {
  return time === undefined ? "" : `${timestampDate(time).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** "2026-08-01 19:30 Europe/Berlin", as the clocks at the event show it. */
export function showLocalTime(time: Timestamp | undefined, timeZone: string): string {
  if (time === undefined) return "";
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" });
  return `${format.format(timestampDate(time))} ${timeZone}`;
}

/** Of a part of 1: "62.5 %". */
export const showPercent = (part: number): string => `${(100 * part).toFixed(1)} %`;

/** The name of an enum's value, in lower case: "published". A value that is newer than this program is a number. */
export function showEnum(names: Readonly<Record<string, number>>, value: number): string {
  const name = Object.keys(names).find((one) => names[one] === value);
  return name?.toLowerCase() ?? String(value);
}
