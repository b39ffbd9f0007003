import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Bus, type BusMessage, type ConsumeOptions } from "@boxoffice/platform/bus.ts";
import { systemRuntime } from "@boxoffice/platform/runtime.ts";
import type { ChangeBatch } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { afterAll, beforeAll, beforeEach, expect, inject, test, vi } from "vitest";
import { runConsumer } from "../consumer.ts";
import { createStats, log, openDatabase, payloadOf, type Stats } from "./harness.ts";
import { batchOf, event, reservation, ticketType } from "./messages.ts";
import { diceOf, figuresIn, randomSale } from "./sale.ts";

/** What was on its way to one that died is delivered again when its time to acknowledge is over: 30 seconds. */
const REDELIVERED_WITHIN_MS = 45_000;

let stats: Stats;
let prefix: string;
let publisher: Bus;

beforeAll(async () => {
  stats = await createStats();
});

beforeEach(async () => {
  await stats.clear();
  prefix = `stats${randomUUID().slice(0, 8)}`;
  publisher = openBus();
  return () => publisher.close();
});

afterAll(() => stats.end());

const openBus = () => new Bus({ url: inject("natsUrl"), name: "stats test", log, prefix });

/** Again and again, as a relay does: a stream that was made a moment ago may not take anything yet. */
const publishAll = (messages: readonly BusMessage[]) =>
  vi.waitFor(() => publisher.publish(messages), { timeout: 10_000 });

const publish = async (batches: readonly ChangeBatch[]) => {
  for (let start = 0; start < batches.length; start += 50) {
    await publishAll(
      batches.slice(start, start + 50).map((batch) => ({
        subject: `reservation.v1.${batch.eventId}`,
        id: batch.batchId,
        payload: payloadOf(batch),
      })),
    );
  }
};

type Handle = ConsumeOptions["handle"];

/** A replica of its own: a connection to NATS, a pool, a consumer. `around` stands between the bus and it. */
function startConsumer(around: (handle: Handle) => Handle = (handle) => handle) {
  const bus = openBus();
  const database = openDatabase(stats.url);
  const stop = new AbortController();
  let dead = false;
  const consume: Bus["consume"] = (options, signal) => {
    const counting = around(options.handle);
    const handle: Handle = async (messages) => {
      if (dead) throw new Error("gone before counting");
      await counting(messages);
      if (dead) throw new Error("gone before the acknowledgement");
    };
    return bus.consume({ ...options, handle }, signal);
  };
  const running = runConsumer({ database, bus: { consume }, runtime: systemRuntime, log }, stop.signal);
  const end = async () => {
    stop.abort();
    await running;
    await bus.close();
    await database.close();
  };
  return {
    stop: end,
    /** As if it died, wherever it is: it counts nothing more, and acknowledges nothing. */
    kill() {
      dead = true;
      return end();
    },
  };
}

const overview = async ({ isUnderWay = false } = {}) => {
  const answer = await stats.operator.getOverview({});
  if (answer.overview === undefined) throw new Error("there is always an overview");
  return figuresIn(answer.overview, isUnderWay);
};

test("what is published is counted, while consumers die and are replaced", async () => {
  const { messages, expected } = randomSale(diceOf(4), 60);
  const slowly =
    (handle: Handle): Handle =>
    async (batch) => {
      await delay(50);
      await handle(batch);
      await delay(50);
    };
  const first = startConsumer(slowly);
  const half = Math.floor(messages.length / 2);
  await publish(messages.slice(0, half));
  const soFar = () => overview({ isUnderWay: true });
  await expect.poll(async () => (await soFar()).events, { timeout: 10_000 }).toBeGreaterThan(0);
  const [publishing, second] = [publish(messages.slice(half)), startConsumer(slowly)];
  await first.kill();
  await delay(200);
  await second.kill();
  await publishing;
  expect(await soFar()).not.toEqual(expected.overview);
  const third = startConsumer();
  await expect.poll(soFar, { timeout: REDELIVERED_WITHIN_MS, interval: 200 }).toEqual(expected.overview);
  expect(await overview()).toEqual(expected.overview);
  await third.stop();
});

test("what was counted but not acknowledged is delivered again, and counts once", async () => {
  let lost = 3;
  let deliveries = 0;
  const consumer = startConsumer((handle) => async (batch) => {
    deliveries++;
    await handle(batch);
    if (lost-- > 0) throw new Error("gone before the acknowledgement");
  });
  const [eventId, typeId] = [randomUUID(), randomUUID()];
  const items = { [typeId]: [2, 10_00] as const };
  await publish([batchOf(eventId, [event(eventId), ticketType(typeId), reservation("one", { items })])]);
  await expect.poll(() => deliveries, { timeout: REDELIVERED_WITHIN_MS }).toBe(4);
  expect(await overview()).toMatchObject({ held: 2, reservations: { held: 1 } });
  await consumer.stop();
});

test("poison does not stand in the way of what follows it", async () => {
  const consumer = startConsumer();
  const eventId = randomUUID();
  const poison = ["no protobuf", ""].map((text) => ({
    subject: `reservation.v1.${eventId}`,
    id: randomUUID(),
    payload: new TextEncoder().encode(text),
  }));
  await publishAll(poison);
  await publish([batchOf(eventId, [event(eventId)])]);
  await expect.poll(async () => (await overview()).events, { timeout: 10_000 }).toBe(1);
  await consumer.stop();
});
