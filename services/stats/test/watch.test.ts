import { randomUUID } from "node:crypto";
import { isRefusal } from "@boxoffice/platform/errors.ts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createStats, type Stats } from "./harness.ts";
import { batchOf, event, reservation, ticketType } from "./messages.ts";

let stats: Stats;
const [eventId, typeId] = [randomUUID(), randomUUID()];

beforeAll(async () => {
  stats = await createStats();
});

beforeEach(async () => {
  await stats.clear();
  await stats.count(batchOf(eventId, [event(eventId, { name: "=Opening" }), ticketType(typeId)]));
});

afterAll(() => stats.end());

const sell = (tickets: number) =>
  stats.count(batchOf(eventId, [reservation(randomUUID(), { items: { [typeId]: [tickets, 10_00] } })]));

/** What a watcher was told was held, until it is stopped. */
function watch(id = eventId) {
  const stop = new AbortController();
  const held: number[] = [];
  const ended = (async () => {
    for await (const { eventStats, asOf } of stats.operator.watchEventStats(
      { eventId: id },
      { signal: stop.signal },
    )) {
      expect(asOf).toBeDefined();
      held.push(Number(eventStats?.held));
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return {
    held,
    ended,
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

test("whoever watches is told what there is, and then every change, whole", async () => {
  await sell(1);
  const [first, second] = [watch(), watch()];
  await expect.poll(() => [first.held, second.held]).toEqual([[1], [1]]);
  await sell(2);
  await expect.poll(() => [first.held.at(-1), second.held.at(-1)]).toEqual([3, 3]);
  await second.stop();
  await sell(4);
  await expect.poll(() => first.held.at(-1)).toBe(7);
  expect(second.held.at(-1)).toBe(3);
  await first.stop();
});

test("what changes while a watch begins is not missed", async () => {
  for (let round = 1; round <= 15; round++) {
    const watching = [watch(), watch()];
    await sell(1);
    const late = watch();
    for (const { held } of [...watching, late]) await expect.poll(() => held.at(-1)).toBe(round);
    await Promise.all([...watching, late].map(({ stop }) => stop()));
  }
});

test("a busy sale is told in a few messages", async () => {
  const watching = watch();
  await expect.poll(() => watching.held.length).toBe(1);
  const startedAtMs = performance.now();
  for (let sold = 0; sold < 100; sold++) await sell(1);
  await expect.poll(() => watching.held.at(-1)).toBe(100);
  const seconds = (performance.now() - startedAtMs) / 1_000;
  expect(watching.held.length).toBeLessThanOrEqual(2 + seconds * 4);
  await watching.stop();
});

test("an event of which nothing is known cannot be watched", async () => {
  const error = await watch(randomUUID()).ended.catch((thrown: unknown) => thrown);
  expect(isRefusal(error, "EVENT_NOT_FOUND")).toBe(true);
});

test.each(["watchEventStats", "exportEventStats"] as const)("%s is for operators only", async (method) => {
  for (const [client, reason] of [
    [stats.anyone, "UNAUTHENTICATED"],
    [stats.gateway, "PERMISSION_DENIED"],
  ] as const) {
    const error = await client[method]({ eventId })
      [Symbol.asyncIterator]()
      .next()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason });
  }
});

test("the export has a line for each ticket type and one for their total, and no formula", async () => {
  const vip = randomUUID();
  await stats.count(
    batchOf(eventId, [
      ticketType(vip, { position: 1, name: '@SUM(A1) "x", y', category: "VIP", quantity: 10 }),
      reservation("paid", { state: "PAID", items: { [typeId]: [3, 10_05], [vip]: [2, 100_00] } }),
    ]),
  );
  await sell(5);
  let csv = "";
  for await (const answer of stats.operator.exportEventStats({ eventId })) csv += answer.csv;
  const of = `${eventId},'=Opening,2026-06-01T12:00:00.000Z,Europe/Berlin`;
  const asOf = "2026-06-01T12:00:00.000Z";
  expect(csv.split("\r\n")).toEqual([
    "event_id,event,starts_at,time_zone,ticket_type_id,ticket_type,category,quantity,available,reserved,held,paid," +
      "expired,cancelled,refunded,revenue,currency,sell_through,as_of",
    `${of},${typeId},Standing,regular,100,92,8,5,3,0,0,0,30.15,EUR,0.03,${asOf}`,
    `${of},${vip},"'@SUM(A1) ""x"", y",vip,10,8,2,0,2,0,0,0,200.00,EUR,0.2,${asOf}`,
    `${of},,,,110,100,10,5,5,0,0,0,230.15,EUR,${5 / 110},${asOf}`,
    "",
  ]);
});

test("an event of which nothing is known cannot be exported", async () => {
  const [answer] = [stats.operator.exportEventStats({ eventId: randomUUID() })[Symbol.asyncIterator]()];
  const error = await answer?.next().catch((thrown: unknown) => thrown);
  expect(isRefusal(error, "EVENT_NOT_FOUND")).toBe(true);
});
