import { expect, test } from "vitest";
import { zonedTime } from "../src/zoned-time.ts";

test.each([
  ["2026-01-15T20:00", "Europe/Berlin", "2026-01-15T19:00:00.000Z"],
  ["2026-07-15T20:00", "Europe/Berlin", "2026-07-15T18:00:00.000Z"],
  ["2026-07-15T20:00:30", "Asia/Kathmandu", "2026-07-15T14:15:30.000Z"],
  ["2026-03-29T03:00", "Europe/Berlin", "2026-03-29T01:00:00.000Z"],
  ["2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:30:00.000Z"], // skipped: 03:30 in summer time
  ["2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00.000Z"], // twice: the first
  ["2026-10-25T03:00", "Europe/Berlin", "2026-10-25T02:00:00.000Z"],
  ["2026-11-01T00:30", "America/New_York", "2026-11-01T04:30:00.000Z"],
  ["2026-12-31T23:59", "Pacific/Auckland", "2026-12-31T10:59:00.000Z"],
])("%s in %s", (local, zone, moment) => {
  expect(zonedTime(local, zone).toISOString()).toBe(moment);
});

test.each([
  ["2026-13-01T10:00", "UTC"],
  ["tomorrow", "UTC"],
  ["2026-01-01T10:00", "Mars/Olympus"],
])("%s in %s is refused", (local, zone) => {
  expect(() => zonedTime(local, zone)).toThrow(RangeError);
});
