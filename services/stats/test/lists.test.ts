import { randomUUID } from "node:crypto";
import { isRefusal } from "@boxoffice/platform/errors.ts";
import type { Change } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { EventStatsSort } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createStats, type Stats } from "./harness.ts";
import { at, batchOf, event, reservation, ticketType } from "./messages.ts";

let stats: Stats;

beforeAll(async () => {
  stats = await createStats();
});

beforeEach(() => stats.clear());

afterAll(() => stats.end());

type Page<Item> = { items: Item[]; nextPageToken: string };

/** Follows the tokens to the end, and tells how many items each page had. */
async function readAll<Item>(read: (pageToken: string) => Promise<Page<Item>>) {
  const items: Item[] = [];
  const sizes: number[] = [];
  let pageToken = "";
  do {
    const page = await read(pageToken);
    items.push(...page.items);
    sizes.push(page.items.length);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return { items, sizes };
}

const readEvents = (pageSize: number) =>
  readAll(async (pageToken) => {
    const { eventStats: items, nextPageToken } = await stats.operator.listEventStats({ pageSize, pageToken });
    return { items, nextPageToken };
  });

const readCategories = (pageSize: number) =>
  readAll(async (pageToken) => {
    const answer = await stats.operator.listCategoryStats({ pageSize, pageToken });
    return { items: answer.categoryStats, nextPageToken: answer.nextPageToken };
  });

test.each([
  [1, [1, 1, 1, 1, 1, 1]],
  [2, [2, 2, 2]],
  [4, [4, 2]],
  [0, [6]],
])("events in pages of %i, by their start and then by id", async (pageSize, sizes) => {
  const ids = Array.from({ length: 6 }, () => randomUUID());
  const starts = [at(30), at(10), at(10), at(10), at(20), at(10)];
  await stats.count(
    ...ids.map((eventId, index) => batchOf(eventId, [event(eventId, { startsAtMs: starts[index] ?? 0 })])),
  );
  const sorted = ids
    .map((eventId, index) => ({ eventId, startsAtMs: starts[index] ?? 0 }))
    .sort((a, b) => a.startsAtMs - b.startsAtMs || (a.eventId < b.eventId ? -1 : 1));
  const read = await readEvents(pageSize);
  expect(read.items.map(({ eventId }) => eventId)).toEqual(sorted.map(({ eventId }) => eventId));
  expect(read.sizes).toEqual(sizes);
});

describe("the most successful first, in pages of 2", () => {
  const [small, dear, held, drafted, empty] = ["1", "2", "3", "4", "5"].map(
    (first) => `${first}${randomUUID().slice(1)}`,
  ) as [string, string, string, string, string];

  beforeEach(async () => {
    const sale = (
      eventId: string,
      quantity: number,
      state: "PAID" | "HELD",
      tickets: number,
      cents: number,
    ) => {
      const typeId = randomUUID();
      const sold = reservation(eventId, { state, items: { [typeId]: [tickets, cents] } });
      return batchOf(eventId, [event(eventId), ticketType(typeId, { quantity }), sold]);
    };
    await stats.count(
      sale(small, 10, "PAID", 9, 10_00),
      sale(dear, 1_000, "PAID", 8, 500_00),
      sale(held, 1_000, "HELD", 50, 10_00),
      sale(drafted, 10, "PAID", 10, 900_00),
      batchOf(drafted, [event(drafted, { version: 2, state: "DRAFT" })]),
      batchOf(empty, [event(empty)]),
    );
  });

  test.each<[keyof typeof EventStatsSort, () => string[]]>([
    ["RESERVED", () => [held, small, dear, empty]],
    ["PAID", () => [small, dear, held, empty]],
    ["REVENUE", () => [dear, small, held, empty]],
    ["SELL_THROUGH", () => [small, dear, held, empty]],
  ])("by %s", async (sort, expected) => {
    const { items, sizes } = await readAll(async (pageToken) => {
      const asked = { pageSize: 2, pageToken, sort: EventStatsSort[sort] };
      const { eventStats, nextPageToken } = await stats.operator.listEventStats(asked);
      return { items: eventStats, nextPageToken };
    });
    expect(items.map(({ eventId }) => eventId)).toEqual(expected());
    expect(sizes).toEqual([2, 2]);
  });
});

test("a page token of another order is refused", async () => {
  const ids = [randomUUID(), randomUUID()];
  await stats.count(...ids.map((eventId) => batchOf(eventId, [event(eventId)])));
  const { nextPageToken } = await stats.operator.listEventStats({ pageSize: 1, sort: EventStatsSort.PAID });
  const asked = { pageToken: nextPageToken, sort: EventStatsSort.REVENUE };
  const error = await stats.operator.listEventStats(asked).catch((thrown) => thrown);
  expect(isRefusal(error, "INVALID_REQUEST")).toBe(true);
});

test("a page of events with very many ticket types is shorter than asked for, and none is left out", async () => {
  const ids = Array.from({ length: 60 }, () => randomUUID());
  const manyTypes = (): Change[] =>
    Array.from({ length: 100 }, (_, position) =>
      ticketType(randomUUID(), { position, name: "n".repeat(100) }),
    );
  for (const [index, eventId] of ids.entries()) {
    await stats.count(batchOf(eventId, [event(eventId, { startsAtMs: at(index) }), ...manyTypes()]));
  }
  const { items, sizes } = await readEvents(500);
  expect(items.map(({ eventId }) => eventId)).toEqual(ids);
  expect(items.every(({ ticketTypes }) => ticketTypes.length === 100)).toBe(true);
  expect(sizes).toEqual([50, 10]);
});

test.each([
  [1, [1, 1, 1, 1, 1]],
  [2, [2, 2, 1]],
  [0, [5]],
])("categories in pages of %i, by name", async (pageSize, sizes) => {
  const eventId = randomUUID();
  const categories = ["zone a", "Early Bird", "VIP", "éclair", "balcony"];
  const types = categories.map((category) => ticketType(randomUUID(), { category }));
  await stats.count(batchOf(eventId, [event(eventId), ...types]));
  const read = await readCategories(pageSize);
  expect(read.items.map(({ category }) => category)).toEqual([
    "balcony",
    "early bird",
    "vip",
    "zone a",
    "éclair",
  ]);
  expect(read.sizes).toEqual(sizes);
});

const token = (...key: unknown[]) => Buffer.from(JSON.stringify(key)).toString("base64url");

test.each([
  ["nonsense", "nonsense"],
  ["the other list's", token("vip")],
  ["no time", token("soon", randomUUID())],
  ["no id", token("1000", "'")],
])("a page token that this list did not give: %s", async (_, pageToken) => {
  const error = await stats.operator.listEventStats({ pageToken }).catch((thrown) => thrown);
  expect(isRefusal(error, "INVALID_REQUEST")).toBe(true);
});
