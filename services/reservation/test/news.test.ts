import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Bus } from "@boxoffice/platform/bus.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { cancel } from "../domain/transitions.ts";
import { createChangeLane, createReserveLanes } from "../lanes.ts";
import { AvailabilityNews } from "../news.ts";
import { createSale, items, newId, openEvent, type Replica } from "./harness.ts";

let sale: Awaited<ReturnType<typeof createSale>>;
let replica: Replica;

beforeAll(async () => {
  sale = await createSale();
  replica = await sale.start();
});

afterAll(() => sale.end());

test("of many changes in a moment the first is told at once and the last at its end, to whoever listens", async () => {
  const bus = new Bus({
    url: inject("natsUrl"),
    name: "test",
    prefix: `test-${randomUUID()}`,
    log: createLogger("test", "silent"),
  });
  try {
    const heard: string[] = [];
    const { signal } = new AbortController();
    bus.hear("availability.*", (subject) => heard.push(subject), signal);
    await expect.poll(() => bus.isConnected).toBe(true);
    const news = new AvailabilityNews(bus);
    for (let change = 0; change < 1_000; change++) news.changed("a");
    news.changed("b");
    await expect.poll(() => heard.length).toBe(3);
    expect(heard).toEqual(["availability.a", "availability.b", "availability.a"]);
    await delay(120);
    expect(heard.length).toBe(3);
    news.changed("a");
    await expect.poll(() => heard.length).toBe(4);
  } finally {
    await bus.close();
  }
});

test("reservations that are made or changed name their event, refusals none", async () => {
  const { eventId, types } = await openEvent(replica, [1]);
  const told: string[][] = [];
  const onCommit = (eventIds: ReadonlySet<string>) => void told.push([...eventIds]);
  const options = { database: replica.database, newId, onCommit, lanes: 1, maxBatch: 10, maxQueue: 10 };
  const reserving = createReserveLanes({ ...options, holdMs: 60_000 });
  const wish = (id: string) => ({
    reservationId: id,
    eventId,
    items: items(types, 1),
    customer: null,
    requestId: null,
    contentHash: null,
  });
  const reservationId = newId();
  expect((await reserving.submit(wish(reservationId))).kind).toBe("made");
  expect((await reserving.submit(wish(newId()))).kind).toBe("refused");
  expect(told).toEqual([[eventId], []]);
  told.length = 0;
  const changing = createChangeLane(options);
  const wishToCancel = { paymentId: null, abortsPayment: false, decide: cancel };
  expect((await changing.submit({ ...wishToCancel, reservationId })).kind).toBe("done");
  expect((await changing.submit({ ...wishToCancel, reservationId: newId() })).kind).toBe("refused");
  expect(told).toEqual([[eventId], []]);
});
