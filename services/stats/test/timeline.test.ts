import { randomUUID } from "node:crypto";
import { isRefusal } from "@boxoffice/platform/errors.ts";
import { euro } from "@boxoffice/platform/parse.ts";
import { TimelineInterval } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createStats, type Stats } from "./harness.ts";
import { batchOf, event, reservation } from "./messages.ts";

const { MINUTE, HOUR, DAY } = TimelineInterval;

let stats: Stats;

beforeAll(async () => {
  stats = await createStats();
});

beforeEach(() => stats.clear());

afterAll(() => stats.end());

const time = (iso: string) => timestampFromDate(new Date(iso));

/** An event in Berlin with reservations of one ticket each at some times, which were all paid two minutes later. */
async function soldAt(...times: string[]): Promise<string> {
  const eventId = randomUUID();
  const sold = times.map((iso) =>
    reservation(randomUUID(), {
      state: "PAID",
      createdMs: Date.parse(iso),
      items: { [randomUUID()]: [1, 10_00] },
    }),
  );
  await stats.count(batchOf(eventId, [event(eventId), ...sold]));
  return eventId;
}

type Asked = { interval: TimelineInterval; from: string; until: string; eventId?: string; timeZone?: string };

/** Where intervals begin, and how many tickets were reserved and paid in each. */
async function ask({ interval, from, until, eventId = "", timeZone = "" }: Asked) {
  const request = { eventId, interval, from: time(from), until: time(until), timeZone };
  const { intervals, timeZone: told } = await stats.operator.getSalesTimeline(request);
  const starts = intervals.map(({ startTime }) => startTime && timestampDate(startTime).toISOString());
  const ends = intervals.map(({ endTime }) => endTime && timestampDate(endTime).toISOString());
  expect(ends.slice(0, -1)).toEqual(starts.slice(1));
  return {
    timeZone: told,
    starts: [...starts, ends.at(-1)],
    reserved: intervals.map(({ sales }) => Number(sales?.reserved)),
    paid: intervals.map(({ sales }) => Number(sales?.paid)),
  };
}

test("minutes, of which each holds what happened in it", async () => {
  const eventId = await soldAt("2026-06-01T12:00:00Z", "2026-06-01T12:00:59.999Z", "2026-06-01T12:02:00Z");
  const asked = { interval: MINUTE, from: "2026-06-01T12:00:30Z", until: "2026-06-01T12:04:00Z" };
  expect(await ask({ ...asked, eventId })).toEqual({
    timeZone: "Europe/Berlin",
    starts: [0, 1, 2, 3, 4].map((minute) => `2026-06-01T12:0${minute}:00.000Z`),
    reserved: [2, 0, 1, 0],
    paid: [0, 0, 2, 0],
  });
});

describe("days begin when the date does where the event is", () => {
  test.each([
    ["2026-03-28", ["2026-03-27T23:00:00.000Z", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"]],
    ["2026-10-24", ["2026-10-23T22:00:00.000Z", "2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z"]],
  ])("also when clocks change, from %s on", async (day, starts) => {
    const [first = "", second = "", end = ""] = starts;
    const justBefore = (iso: string) => new Date(Date.parse(iso) - 1).toISOString();
    const eventId = await soldAt(justBefore(first), first, justBefore(second), second, justBefore(end), end);
    const asked = { interval: DAY, from: `${day}T12:00:00Z`, until: end, eventId };
    expect(await ask(asked)).toMatchObject({ starts, reserved: [2, 2], timeZone: "Europe/Berlin" });
  });

  test("where there is no midnight, with the first moment of the date", async () => {
    const eventId = await soldAt("2018-11-04T03:00:00Z", "2018-11-04T02:59:59Z");
    const timeZone = "America/Sao_Paulo"; // at 0:00 of the 4th clocks went on to 1:00
    const asked = { interval: DAY, from: "2018-11-03T12:00:00Z", until: "2018-11-05T02:00:00Z" };
    expect(await ask({ ...asked, eventId, timeZone })).toMatchObject({
      starts: ["2018-11-03T03:00:00.000Z", "2018-11-04T03:00:00.000Z", "2018-11-05T02:00:00.000Z"],
      reserved: [1, 1],
      timeZone,
    });
  });
});

test("hours begin with those of the time zone asked for, also where it is three quarters of an hour off", async () => {
  const eventId = await soldAt("2026-06-01T12:14:59Z", "2026-06-01T12:15:00Z", "2026-06-01T13:14:59Z");
  const asked = { interval: HOUR, from: "2026-06-01T12:00:00Z", until: "2026-06-01T13:15:00Z" };
  expect(await ask({ ...asked, eventId, timeZone: "Asia/Kathmandu" })).toMatchObject({
    starts: ["2026-06-01T11:15:00.000Z", "2026-06-01T12:15:00.000Z", "2026-06-01T13:15:00.000Z"],
    reserved: [1, 2],
  });
});

test("an hour that clocks show twice is two hours", async () => {
  const eventId = await soldAt("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
  const asked = { interval: HOUR, from: "2026-10-25T00:00:00Z", until: "2026-10-25T02:00:00Z", eventId };
  expect(await ask(asked)).toMatchObject({ reserved: [1, 1] });
});

test("all events together, in UTC", async () => {
  await Promise.all([soldAt("2026-06-01T23:30:00Z"), soldAt("2026-06-02T00:30:00Z", "2026-06-02T01:30:00Z")]);
  const asked = { interval: DAY, from: "2026-06-01T00:00:00Z", until: "2026-06-03T00:00:00Z" };
  expect(await ask(asked)).toMatchObject({ timeZone: "UTC", reserved: [1, 2] });
});

test("without bounds it is what led up to now", async () => {
  const eventId = await soldAt(new Date(Date.now() - 30 * 60_000).toISOString());
  for (const [interval, count] of [
    [MINUTE, 61],
    [HOUR, 49],
    [DAY, 31],
  ] as const) {
    const { intervals } = await stats.operator.getSalesTimeline({ eventId, interval });
    expect([count - 1, count, count + 1]).toContain(intervals.length); // a summer's day may be 23 hours long
    expect(intervals.reduce((sum, { sales }) => sum + Number(sales?.reserved), 0)).toBe(1);
  }
});

test("the last hour stands beside the hour before, of an event and of all", async () => {
  const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  const eventId = await soldAt(ago(5), ago(50), ago(90), ago(180));
  const flow = (reserved: bigint) => ({ reservations: reserved, reserved, revenue: euro(reserved * 10_00n) });
  const { eventStats } = await stats.operator.getEventStats({ eventId });
  expect(eventStats).toMatchObject({ lastHour: flow(2n), hourBefore: flow(1n) });
  await soldAt(ago(10));
  const { overview } = await stats.operator.getOverview({});
  expect(overview).toMatchObject({ lastHour: flow(3n), hourBefore: flow(1n) });
});

test.each<[string, Partial<Asked>, string]>([
  ["a time zone that is none", { timeZone: "Middle/Earth" }, "time_zone"],
  ["an offset in place of a time zone", { timeZone: "+02:00" }, "time_zone"],
  ["an end before its beginning", { until: "2026-05-31T00:00:00Z" }, "from"],
  ["more than an answer holds", { interval: MINUTE, until: "2026-07-01T00:00:00Z" }, "from"],
  ["a time that no sale is at", { from: "1969-01-01T00:00:00Z" }, "from"],
])("%s is refused", async (_, asked, field) => {
  const whole = { interval: DAY, from: "2026-06-01T00:00:00Z", until: "2026-06-02T00:00:00Z", ...asked };
  const error = await ask(whole).catch((thrown: unknown) => thrown);
  expect(isRefusal(error, "INVALID_REQUEST")).toBe(true);
  expect(error).toMatchObject({ message: expect.stringContaining(`${field}: `) });
});

test("an interval must be named", async () => {
  const error = await stats.operator.getSalesTimeline({}).catch((thrown: unknown) => thrown);
  expect(isRefusal(error, "INVALID_REQUEST")).toBe(true);
});

test("an event of which nothing is known is not found", async () => {
  const asked = { eventId: randomUUID(), interval: DAY };
  const error = await stats.operator.getSalesTimeline(asked).catch((thrown: unknown) => thrown);
  expect(isRefusal(error, "EVENT_NOT_FOUND")).toBe(true);
});
