import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Change,
  ChangeBatchSchema,
  ChangeSchema,
} from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create, fromBinary } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { Bus, BusUnavailableError, type ReceivedMessage } from "../src/bus.ts";
import { Database } from "../src/database.ts";
import { createLogger } from "../src/log.ts";
import { appendOutbox, Relay } from "../src/outbox.ts";
import { systemRuntime } from "../src/runtime.ts";

const log = createLogger("test", "silent");
const schema = `outbox_test_${process.pid}`;
const eventId = randomUUID();

let database: Database;
let bus: Bus;
let stop: AbortController;

beforeAll(async () => {
  database = new Database({ url: inject("ownerUrl"), name: "outbox test", log });
  await database.query({ text: `create schema ${schema}` });
  await database.query({
    text: `
      create table ${schema}.outbox (
        outbox_id uuid primary key, event_id uuid not null, payload bytea not null,
        created_at timestamptz not null default clock_timestamp(), published_at timestamptz,
        claimed_until timestamptz)`,
  });
  await database.query({
    text: `create table ${schema}.outbox_stream (stream text, since timestamptz)`,
  });
  await database.query({ text: `insert into ${schema}.outbox_stream default values` });
});

afterAll(async () => {
  await database.query({ text: `drop schema ${schema} cascade` });
  await database.close();
});

beforeEach(async () => {
  await database.query({ text: `truncate ${schema}.outbox` });
  await database.query({ text: `update ${schema}.outbox_stream set stream = null, since = null` });
  bus = openBus();
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await bus.close();
});

let buses = 0;
const openBus = (prefix = `t${process.pid}_${++buses}`) =>
  new Bus({ url: inject("natsUrl"), name: "test", log, prefix });

type Publisher = Pick<Bus, "publish" | "stream">;

/** A bus that publishes as the test says, to a stream that was made at some time. */
const busOf = (publish: Bus["publish"], created = "then"): Publisher => ({
  publish,
  stream: async () => ({ created, firstSeq: 1, lastSeq: 0 }),
});

const relayOf = (to: Publisher) =>
  new Relay({ service: schema, database, bus: to, runtime: systemRuntime, log });

const change = (name: string, version = 1n): Change =>
  create(ChangeSchema, { change: { case: "event", value: { eventId, name, version } } });

const append = (...changes: Change[]) =>
  database.transaction(async (tx) =>
    appendOutbox(tx, schema, systemRuntime.newId, new Date(), [{ eventId, changes }]),
  );

/** Collects what a durable consumer is handed. */
function consume(
  from: Bus,
  options: { maxBatch?: number; gatherMs?: number; onBatch?: (batch: ReceivedMessage[]) => void } = {},
) {
  const names: string[] = [];
  const running = from.consume(
    {
      durable: "test",
      maxBatch: options.maxBatch ?? 100,
      ...(options.gatherMs !== undefined && { gatherMs: options.gatherMs }),
      async handle(messages) {
        options.onBatch?.(messages);
        names.push(...messages.flatMap(namesIn));
      },
    },
    stop.signal,
  );
  return { names, running };
}

const namesIn = ({ payload }: ReceivedMessage): string[] =>
  fromBinary(ChangeBatchSchema, payload).changes.map(({ change: { case: kind, value } }) =>
    kind === "event" ? value.name : "",
  );

const unpublished = async () =>
  (await database.query({ text: `select 1 from ${schema}.outbox where published_at is null` })).length;

test("what commits is published, in the order it was written, and what is rolled back is not", async () => {
  const received = consume(bus);
  const relay = relayOf(bus);
  const running = relay.run(stop.signal);
  await append(change("first"));
  await database
    .transaction(async (tx) => {
      appendOutbox(tx, schema, systemRuntime.newId, new Date(), [{ eventId, changes: [change("never")] }]);
      throw new Error("rolled back");
    })
    .catch(() => {});
  await append(change("second"), change("third"));
  relay.wake();
  await expect.poll(() => received.names, { timeout: 10_000 }).toEqual(["first", "second", "third"]);
  await expect.poll(unpublished).toBe(0); // the consumer may hear of it before it is marked
  stop.abort();
  await Promise.all([running, received.running]);
});

test("while the stream does not acknowledge, messages are kept, and then go out once", async () => {
  await append(change("kept"));
  let down = true;
  const relay = relayOf(
    busOf((messages) => (down ? Promise.reject(new BusUnavailableError("down")) : bus.publish(messages))),
  );
  await expect(relay.relayOnce()).rejects.toThrow("down");
  expect(await unpublished()).toBe(1);
  down = false;
  await expect.poll(() => relay.relayOnce().catch(() => 0), { timeout: 10_000 }).toBe(1);
  expect(await relay.relayOnce()).toBe(0);
});

test("a crash between publishing and marking repeats the message under the same id, and the stream drops it", async () => {
  await append(change("once"));
  const crashing = busOf(async (messages) => {
    await bus.publish(messages);
    throw new Error("killed");
  });
  await expect.poll(() => bus.isConnected, { timeout: 10_000 }).toBe(true);
  await expect(relayOf(crashing).relayOnce()).rejects.toThrow("killed");
  expect(await relayOf(bus).relayOnce()).toBe(1);
  await append(change("end"));
  await relayOf(bus).relayOnce();
  const received = consume(bus);
  await expect.poll(() => received.names, { timeout: 10_000 }).toContain("end");
  expect(received.names).toEqual(["once", "end"]);
});

test("many relays at once publish each message, and each only once", async () => {
  const names = Array.from({ length: 300 }, (_, index) => `change ${index}`);
  for (const name of names) await append(change(name));
  const published: string[] = [];
  const counting = busOf(async (messages) => void published.push(...messages.map(({ id }) => id)));
  const relays = Array.from({ length: 4 }, () => relayOf(counting));
  while ((await Promise.all(relays.map((relay) => relay.relayOnce()))).some((count) => count > 0));
  expect(published.length).toBe(names.length);
  expect(new Set(published).size).toBe(names.length);
});

test("while a stream does not answer, nothing of the database waits for it, and nobody else takes the messages", async () => {
  await append(change("waiting"));
  const answer = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const relaying = relayOf(
    busOf(() => {
      asked.resolve();
      return answer.promise;
    }),
  ).relayOnce();
  await asked.promise;
  const open = await database.query({
    text: `
      select 1 from pg_stat_activity
      where application_name = 'outbox test' and xact_start is not null and pid <> pg_backend_pid()`,
  });
  expect(open).toEqual([]);
  const other = relayOf(busOf(async () => {}));
  expect(await other.relayOnce()).toBe(0);
  await database.query({ text: `update ${schema}.outbox set claimed_until = clock_timestamp()` });
  expect(await other.relayOnce()).toBe(1); // the first one has been silent for too long
  answer.resolve();
  expect(await relaying).toBe(1);
  expect(await unpublished()).toBe(0);
});

test("a new stream gets what is kept again, and what was not published yet before it", async () => {
  const published: string[][] = [];
  const to = (created: string) =>
    relayOf(
      busOf(async (messages) => {
        published.push(
          messages.flatMap(({ payload }) => namesIn({ subject: "", payload: Buffer.from(payload), seq: 0 })),
        );
      }, created),
    );
  const first = to("Monday");
  await append(change("one"));
  await delay(2); // ids of one millisecond have no order
  await append(change("two"));
  await first.relayOnce();
  expect(await first.relayAgain()).toBe(0);
  const second = to("Tuesday");
  await append(change("three"));
  await second.relayOnce();
  expect(await second.relayAgain()).toBe(2);
  expect(await second.relayAgain()).toBe(0);
  expect(published).toEqual([["one", "two"], ["three"], ["one", "two"]]);
  expect(await to("Tuesday").relayOnce()).toBe(0);
});

test("what a stream had not acknowledged in time when it was lost goes to the next one too", async () => {
  await append(change("late"));
  const answer = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const slow = relayOf(
    busOf(() => {
      asked.resolve();
      return answer.promise;
    }, "Monday"),
  );
  const relaying = slow.relayOnce();
  await asked.promise;
  const next = relayOf(busOf(async () => {}, "Tuesday"));
  expect(await next.relayOnce()).toBe(0);
  answer.resolve();
  expect(await relaying).toBe(1);
  expect(await next.relayAgain()).toBe(1);
});

test("a transaction that commits late is not skipped", async () => {
  const early = Promise.withResolvers<void>();
  const written = Promise.withResolvers<void>();
  const late = database.transaction(async (tx) => {
    appendOutbox(tx, schema, systemRuntime.newId, new Date(), [{ eventId, changes: [change("late")] }]);
    written.resolve();
    await early.promise;
  });
  await written.promise;
  await append(change("early"));
  await expect
    .poll(
      () =>
        relayOf(bus)
          .relayOnce()
          .catch(() => 0),
      { timeout: 10_000 },
    )
    .toBe(1);
  early.resolve();
  await late;
  expect(await relayOf(bus).relayOnce()).toBe(1);
  expect(await unpublished()).toBe(0);
});

describe("messages are bounded", () => {
  test.each([
    ["by their number", Array.from({ length: 1_201 }, (_, index) => `${index}`), 3],
    ["by their size", Array.from({ length: 10 }, (_, index) => `${index}`.padEnd(60_000)), 3],
  ])("%s", async (_, names, atLeast) => {
    await append(...names.map((name) => change(name)));
    const rows = await database.query<{ payload: Buffer }>({
      text: `select payload from ${schema}.outbox order by outbox_id`,
    });
    expect(rows.length).toBeGreaterThanOrEqual(atLeast);
    for (const { payload } of rows) expect(payload.length).toBeLessThanOrEqual(257 * 1024);
    const all = rows.flatMap(({ payload }) => namesIn({ subject: "", payload, seq: 0 }));
    expect(new Set(all)).toEqual(new Set(names));
    expect(all.length).toBe(names.length);
  });
});

test("a batch that could not be handled is handed over again", async () => {
  let failures = 2;
  await append(change("stubborn"));
  const received = consume(bus, {
    onBatch() {
      if (failures-- > 0) throw new Error("not now");
    },
  });
  await expect
    .poll(
      () =>
        relayOf(bus)
          .relayOnce()
          .catch(() => 0),
      { timeout: 10_000 },
    )
    .toBe(1);
  await expect.poll(() => received.names, { timeout: 15_000 }).toEqual(["stubborn"]);
});

test("a batch waits for what arrives a moment later, where it may", async () => {
  const names = ["one", "two", "three"];
  for (const name of names) await append(change(name));
  await expect
    .poll(
      () =>
        relayOf(bus)
          .relayOnce()
          .catch(() => 0),
      { timeout: 10_000 },
    )
    .toBe(names.length);
  const sizes: number[] = [];
  const received = consume(bus, { gatherMs: 500, onBatch: (batch) => sizes.push(batch.length) });
  await expect.poll(() => received.names.length, { timeout: 10_000 }).toBe(names.length);
  expect(sizes).toEqual([names.length]);
});

test("a deleted stream is made again, by publisher and consumer alike", async () => {
  const prefix = `t${process.pid}_deleted`;
  const own = openBus(prefix);
  try {
    const received = consume(own);
    await append(change("before"));
    await expect
      .poll(
        () =>
          relayOf(own)
            .relayOnce()
            .catch(() => 0),
        { timeout: 10_000 },
      )
      .toBe(1);
    await expect.poll(() => received.names, { timeout: 10_000 }).toEqual(["before"]);
    await deleteStream(prefix.toUpperCase());
    await append(change("after"));
    await expect
      .poll(
        () =>
          relayOf(own)
            .relayOnce()
            .catch(() => 0),
        { timeout: 10_000 },
      )
      .toBe(1);
    await expect.poll(() => received.names, { timeout: 15_000 }).toEqual(["before", "after"]);
  } finally {
    await own.close();
  }
});

/** With the plain protocol: the client library belongs to one file. */
async function deleteStream(name: string): Promise<void> {
  const { hostname, port } = new URL(inject("natsUrl"));
  const { connect } = await import("node:net");
  const socket = connect(Number(port), hostname);
  await new Promise((resolve) => socket.once("connect", resolve));
  const answered = new Promise<void>((resolve, reject) => {
    socket.on("data", (data) => {
      if (data.includes('"success":true')) resolve();
      else if (data.includes('"error"')) reject(new Error(data.toString()));
    });
  });
  socket.write(
    `CONNECT {"verbose":false}\r\nSUB deleted 1\r\nPUB $JS.API.STREAM.DELETE.${name} deleted 0\r\n\r\n`,
  );
  await answered;
  socket.destroy();
}
