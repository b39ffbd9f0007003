import { randomUUID } from "node:crypto";
import { isRefusal } from "@boxoffice/platform/errors.ts";
import { euro } from "@boxoffice/platform/parse.ts";
import {
  CategoryStatsSchema,
  EventStatsSchema,
  OverviewSchema,
  StatsService,
  TimelineInterval,
} from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bucketOf, timeOf } from "../domain/pay-time.ts";
import { createStats, type Stats } from "./harness.ts";
import { at, batchOf, event, payment, type ReservationInit, reservation, ticketType } from "./messages.ts";

let stats: Stats;

beforeAll(async () => {
  stats = await createStats();
});

beforeEach(() => stats.clear());

afterAll(() => stats.end());

const eventStats = async (eventId: string) => (await stats.operator.getEventStats({ eventId })).eventStats;
const overview = async () => (await stats.operator.getOverview({})).overview;

/** What the messages of the example say, to the precision that is told. */
const TWO_MINUTES = durationFromMs(Math.round(timeOf(bucketOf(120_000))));
const NOTHING = { revenue: euro(0n), refunds: euro(0n) };

describe("an example of every figure", () => {
  const [opening, closing] = [randomUUID(), randomUUID()];
  const [standing, vip, closingVip] = ["1", "2", "3"].map(
    (last) => `${randomUUID().slice(0, -1)}${last}`,
  ) as [string, string, string];

  beforeEach(() =>
    stats.count(
      batchOf(opening, [event(opening, { startsAtMs: at(60) })], at(1)),
      batchOf(opening, [
        ticketType(vip, { position: 1, name: "Backstage", category: " VIP ", quantity: 10 }),
        ticketType(standing, { position: 0, name: "Standing", quantity: 40 }),
      ]),
      batchOf(
        opening,
        [
          reservation("held", { items: { [standing]: [1, 50_00] } }),
          reservation("paying", { state: "PAYING", version: 2, items: { [standing]: [2, 50_00] } }),
          reservation("paid", { state: "PAID", items: { [standing]: [3, 50_00], [vip]: [2, 200_00] } }),
          reservation("paid dearer", { state: "PAID", items: { [standing]: [1, 60_00] } }),
          reservation("expired", { state: "EXPIRED", items: { [standing]: [4, 50_00] } }),
          reservation("cancelled", { state: "CANCELLED", items: { [standing]: [5, 50_00] } }),
          reservation("refunded", { state: "CANCELLED", wasPaid: true, items: { [standing]: [6, 50_00] } }),
        ],
        at(9),
      ),
      batchOf(opening, [
        payment(randomUUID(), { state: "FAILED", failureReason: "CARD_DECLINED" }),
        payment(randomUUID(), { state: "FAILED", failureReason: "PAYMENT_FAILED" }),
        payment(randomUUID(), { state: "FAILED", failureReason: "CARD_DECLINED" }),
        payment(randomUUID(), { state: "SUCCEEDED" }),
        payment(randomUUID(), { state: "UNKNOWN" }),
      ]),
      batchOf(closing, [
        event(closing, { name: "Closing Night", startsAtMs: at(90), state: "CANCELLED" }),
        ticketType(closingVip, { name: "VIP", category: "vip", quantity: 30 }),
        reservation("other", { state: "PAID", items: { [closingVip]: [5, 100_00] } }),
        payment(randomUUID(), { state: "FAILED", failureReason: "CARD_DECLINED" }),
      ]),
    ),
  );

  const openingVip = {
    ...{ reserved: 2n, held: 0n, paid: 2n, expired: 0n, cancelled: 0n, refunded: 0n },
    ...{ available: 8n, quantity: 10n, revenue: euro(400_00n), sellThrough: 0.2 },
  };
  const openingStats = () =>
    create(EventStatsSchema, {
      eventId: opening,
      name: "Opening Night",
      startsAt: timestampFromMs(at(60)),
      timeZone: "Europe/Berlin",
      ...{ reserved: 9n, held: 3n, paid: 6n, expired: 4n, cancelled: 11n, refunded: 6n },
      ...{ available: 41n, quantity: 50n, revenue: euro(610_00n), sellThrough: 6 / 50 },
      reservations: { held: 2n, paid: 2n, expired: 1n, cancelled: 2n, everPaid: 3n, conversion: 3 / 5 },
      paymentFailures: [
        { reason: "CARD_DECLINED", count: 2n },
        { reason: "PAYMENT_FAILED", count: 1n },
      ],
      timeToPay: { reservations: 3n, median: TWO_MINUTES, p95: TWO_MINUTES },
      ...{ lastHour: NOTHING, hourBefore: NOTHING },
      ticketTypes: [
        {
          ticketTypeId: standing,
          name: "Standing",
          category: "regular",
          ...{ reserved: 7n, held: 3n, paid: 4n, expired: 4n, cancelled: 11n, refunded: 6n },
          ...{ available: 33n, quantity: 40n, revenue: euro(210_00n), sellThrough: 0.1 },
        },
        { ticketTypeId: vip, name: "Backstage", category: "vip", ...openingVip },
      ],
    });

  test("of one event, in total and per ticket type", async () => {
    const answer = await stats.operator.getEventStats({ eventId: opening.toUpperCase() });
    expect(answer.eventStats).toEqual(openingStats());
    expect(answer.asOf).toEqual(timestampFromMs(at(9)));
  });

  test("of every event, by starting time", async () => {
    const answer = await stats.operator.listEventStats({});
    expect(answer.eventStats[0]).toEqual(openingStats());
    expect(answer.eventStats.map(({ name, paid }) => [name, paid])).toEqual([
      ["Opening Night", 6n],
      ["Closing Night", 5n],
    ]);
    expect(answer.nextPageToken).toBe("");
    expect(answer.asOf).toEqual(timestampFromMs(at(9)));
  });

  test("of everything together", async () => {
    const answer = await stats.operator.getOverview({});
    expect(answer.overview).toEqual(
      create(OverviewSchema, {
        events: 2n,
        ...{ reserved: 14n, held: 3n, paid: 11n, expired: 4n, cancelled: 11n, refunded: 6n },
        ...{ available: 66n, quantity: 80n, revenue: euro(1110_00n), sellThrough: 11 / 80 },
        reservations: { held: 2n, paid: 3n, expired: 1n, cancelled: 2n, everPaid: 4n, conversion: 4 / 6 },
        paymentFailures: [
          { reason: "CARD_DECLINED", count: 3n },
          { reason: "PAYMENT_FAILED", count: 1n },
        ],
        timeToPay: { reservations: 4n, median: TWO_MINUTES, p95: TWO_MINUTES },
        ...{ lastHour: NOTHING, hourBefore: NOTHING },
      }),
    );
    expect(answer.asOf).toEqual(timestampFromMs(at(9)));
  });

  test.each(["vip", "VIP", "  Vip "])("of the category %j, across events", async (category) => {
    const answer = await stats.operator.getCategoryStats({ category });
    expect(answer.categoryStats).toEqual(
      create(CategoryStatsSchema, {
        category: "vip",
        events: 2n,
        ...{ reserved: 7n, held: 0n, paid: 7n, expired: 0n, cancelled: 0n, refunded: 0n },
        ...{ available: 33n, quantity: 40n, revenue: euro(900_00n), sellThrough: 7 / 40 },
      }),
    );
    expect(answer.asOf).toEqual(timestampFromMs(at(9)));
  });

  test("of every category, by name", async () => {
    const answer = await stats.operator.listCategoryStats({});
    expect(answer.categoryStats.map(({ category, events, paid }) => [category, events, paid])).toEqual([
      ["regular", 1n, 4n],
      ["vip", 2n, 7n],
    ]);
    expect(answer.asOf).toEqual(timestampFromMs(at(9)));
  });
});

describe("before anything was heard", () => {
  test("the overview is all zeros, and as of never", async () => {
    const answer = await stats.operator.getOverview({});
    expect(answer.overview).toMatchObject({
      events: 0n,
      quantity: 0n,
      revenue: euro(0n),
      paymentFailures: [],
    });
    expect(answer.asOf).toBeUndefined();
    expect((await stats.operator.listEventStats({})).eventStats).toEqual([]);
    expect((await stats.operator.listCategoryStats({})).categoryStats).toEqual([]);
  });

  test("an event is not found", async () => {
    const error = await stats.operator.getEventStats({ eventId: randomUUID() }).catch((thrown) => thrown);
    expect(isRefusal(error, "EVENT_NOT_FOUND")).toBe(true);
  });

  test("a category that nobody has is all zeros", async () => {
    expect((await stats.operator.getCategoryStats({ category: "Gold" })).categoryStats).toMatchObject({
      category: "gold",
      events: 0n,
      quantity: 0n,
      revenue: euro(0n),
    });
  });
});

describe("whatever arrives first", () => {
  const [eventId, typeId] = [randomUUID(), randomUUID()];
  const sold = reservation("sold", { state: "PAID", version: 3, items: { [typeId]: [2, 10_00] } });

  test("a reservation shows once its event is known, and its tickets once their type is", async () => {
    await stats.count(batchOf(eventId, [sold]));
    expect((await overview())?.reservations?.paid).toBe(0n);
    await stats.count(batchOf(eventId, [event(eventId)]));
    expect(await eventStats(eventId)).toMatchObject({
      paid: 0n,
      reservations: { paid: 1n },
      ticketTypes: [],
    });
    await stats.count(batchOf(eventId, [ticketType(typeId)]));
    expect(await eventStats(eventId)).toMatchObject({ paid: 2n, ticketTypes: [{ paid: 2n }] });
    expect(await overview()).toMatchObject({ events: 1n, paid: 2n, revenue: euro(20_00n) });
  });

  test("an event of which only ticket types are known is counted nowhere", async () => {
    await stats.count(batchOf(eventId, [ticketType(typeId), sold]));
    const error = await stats.operator.getEventStats({ eventId }).catch((thrown) => thrown);
    expect(isRefusal(error, "EVENT_NOT_FOUND")).toBe(true);
    expect(await overview()).toMatchObject({ events: 0n, quantity: 0n, paid: 0n });
    expect((await stats.operator.listCategoryStats({})).categoryStats).toEqual([]);
  });

  test("a draft is told when asked for, and counted nowhere", async () => {
    await stats.count(batchOf(eventId, [event(eventId, { state: "DRAFT" }), ticketType(typeId), sold]));
    expect(await eventStats(eventId)).toMatchObject({ name: "Opening Night", quantity: 100n });
    expect(await overview()).toMatchObject({ events: 0n, quantity: 0n, reservations: { paid: 0n } });
    expect((await stats.operator.listEventStats({})).eventStats).toEqual([]);
    expect((await stats.operator.listCategoryStats({})).categoryStats).toEqual([]);
    await stats.count(batchOf(eventId, [event(eventId, { state: "PUBLISHED", version: 2 })]));
    expect(await overview()).toMatchObject({ events: 1n, quantity: 100n, reservations: { paid: 1n } });
  });

  test("tickets sold of a quantity that was not heard of yet leave none available, not fewer", async () => {
    const many = reservation("many", { items: { [typeId]: [120, 1_00] } });
    await stats.count(batchOf(eventId, [event(eventId), ticketType(typeId), many]));
    expect(await eventStats(eventId)).toMatchObject({ held: 120n, available: 0n, quantity: 100n });
    await stats.count(batchOf(eventId, [ticketType(typeId, { version: 2, quantity: 150 })]));
    expect(await eventStats(eventId)).toMatchObject({ held: 120n, available: 30n, quantity: 150n });
  });
});

describe("only the newest version counts", () => {
  const [eventId, typeId, paymentId] = [randomUUID(), randomUUID(), randomUUID()];
  const said = (version: number, init: Omit<ReservationInit, "items" | "version">) =>
    reservation("one", { version, items: { [typeId]: [2, 10_00] }, ...init });

  test("of a reservation through its whole life", async () => {
    await stats.count(batchOf(eventId, [event(eventId), ticketType(typeId)]));
    const steps = [
      [said(1, { state: "HELD" }), { held: 2n, available: 98n, reservations: { held: 1n, everPaid: 0n } }],
      [said(2, { state: "PAYING" }), { held: 2n, available: 98n, reservations: { held: 1n } }],
      [said(3, { state: "PAID" }), { held: 0n, paid: 2n, revenue: euro(20_00n), sellThrough: 0.02 }],
      [said(2, { state: "EXPIRED" }), { paid: 2n, expired: 0n }],
      [said(3, { state: "EXPIRED" }), { paid: 2n, expired: 0n }],
      [
        said(4, { state: "CANCELLED", wasPaid: true }),
        {
          paid: 0n,
          cancelled: 2n,
          refunded: 2n,
          available: 100n,
          revenue: euro(0n),
          reservations: { everPaid: 1n },
        },
      ],
    ] as const;
    for (const [change, figures] of steps) {
      await stats.count(batchOf(eventId, [change]));
      expect(await eventStats(eventId)).toMatchObject(figures);
    }
  });

  test("of an event and of a ticket type", async () => {
    await stats.count(
      batchOf(eventId, [
        event(eventId, { version: 2, name: "New" }),
        event(eventId, { version: 1, name: "Old" }),
      ]),
      batchOf(eventId, [ticketType(typeId, { version: 5, quantity: 7 }), ticketType(typeId, { version: 4 })]),
    );
    await stats.count(
      batchOf(eventId, [event(eventId, { version: 2, name: "Same version" })]),
      batchOf(eventId, [ticketType(typeId, { version: 3 })]),
    );
    expect(await eventStats(eventId)).toMatchObject({ name: "New", quantity: 7n });
  });

  test("of a payment: one that failed and then succeeded after all is no failure", async () => {
    const failed = payment(paymentId, { version: 2, state: "FAILED", failureReason: "PAYMENT_FAILED" });
    await stats.count(batchOf(eventId, [event(eventId), failed]));
    await stats.count(batchOf(eventId, [failed, payment(paymentId, { version: 1 })]));
    expect(await eventStats(eventId)).toMatchObject({
      paymentFailures: [{ reason: "PAYMENT_FAILED", count: 1n }],
    });
    await stats.count(batchOf(eventId, [payment(paymentId, { version: 3, state: "REFUNDING" })]));
    expect((await eventStats(eventId))?.paymentFailures).toEqual([]);
    expect((await overview())?.paymentFailures).toEqual([]);
  });

  test("and the time of the newest change is told, whatever the order", async () => {
    await stats.count(batchOf(eventId, [event(eventId, { version: 2 })], at(5)));
    await stats.count(batchOf(eventId, [event(eventId, { version: 1 })], at(3)));
    expect((await stats.operator.getOverview({})).asOf).toEqual(timestampFromMs(at(5)));
  });
});

describe("only operators may ask", () => {
  const unary = StatsService.methods.filter(({ methodKind }) => methodKind === "unary");
  test.each(unary.map(({ localName }) => localName as keyof typeof REQUESTS))("%s", async (method) => {
    const ask = (client: typeof stats.operator) =>
      client[method](REQUESTS[method]).then(
        () => "answered",
        (thrown: unknown) => (isRefusal(thrown, "EVENT_NOT_FOUND") ? "answered" : reasonOf(thrown)),
      );
    expect(await ask(stats.anyone)).toBe("UNAUTHENTICATED");
    expect(await ask(stats.gateway)).toBe("PERMISSION_DENIED");
    expect(await ask(stats.operator)).toBe("answered");
  });

  const REQUESTS = {
    getOverview: {},
    getEventStats: { eventId: randomUUID() },
    listEventStats: {},
    getCategoryStats: { category: "vip" },
    listCategoryStats: {},
    getSalesTimeline: { interval: TimelineInterval.DAY },
  };
});

const reasonOf = (thrown: unknown): unknown =>
  thrown instanceof Error && "reason" in thrown ? thrown.reason : thrown;
