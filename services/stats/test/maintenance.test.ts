import { randomUUID } from "node:crypto";
import type { StreamState } from "@boxoffice/platform/bus.ts";
import { type Runtime, systemRuntime } from "@boxoffice/platform/runtime.ts";
import type { ChangeBatch } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import {
  type StatsTask,
  StatsTaskKind,
  StatsTaskState,
  TimelineInterval,
} from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runMaintenance } from "../maintenance/runner.ts";
import type { Sources } from "../sources.ts";
import { type Followed, followStream } from "../store/stream.ts";
import { requestTask } from "../store/tasks.ts";
import { createStats, log, type Stats } from "./harness.ts";
import { at, batchOf, event, payment, reservation, ticketType } from "./messages.ts";
import {
  deliveries,
  diceOf,
  type Expected,
  figuresIn,
  randomSale,
  SALE_MINUTES,
  timelineIn,
} from "./sale.ts";
import { sourcesOf } from "./sources.ts";

let stats: Stats;

beforeAll(async () => {
  stats = await createStats();
});

beforeEach(() => stats.clear());

afterAll(() => stats.end());

/** Time passes ten times as fast for it. */
const hasty: Runtime = {
  ...systemRuntime,
  nowMs: () => 10 * Date.now(),
  sleep: (ms, signal) => systemRuntime.sleep(ms / 10, signal),
};

/** Runs a replica's maintenance until the newest task has ended. */
async function maintain(sources: Sources, verifyEveryHours = 0): Promise<StatsTask> {
  const stop = new AbortController();
  const { database } = stats;
  const running = runMaintenance({ database, sources, runtime: hasty, log, verifyEveryHours }, stop.signal);
  const newest = async () => (await stats.operator.listStatsTasks({})).tasks[0];
  const { SUCCEEDED, FAILED } = StatsTaskState;
  await expect
    .poll(async () => [SUCCEEDED, FAILED].includes((await newest())?.state as never), { timeout: 40_000 })
    .toBe(true);
  stop.abort();
  await running;
  const task = await newest();
  if (task === undefined) throw new Error("there was a task a moment ago");
  return task;
}

async function told(): Promise<Expected> {
  const [overview, events, categories, timeline] = await Promise.all([
    stats.operator.getOverview({}),
    stats.operator.listEventStats({}),
    stats.operator.listCategoryStats({}),
    stats.operator.getSalesTimeline({
      interval: TimelineInterval.MINUTE,
      from: timestampFromMs(at(0)),
      until: timestampFromMs(at(SALE_MINUTES)),
    }),
  ]);
  if (overview.overview === undefined) throw new Error("there is always an overview");
  return {
    overview: figuresIn(overview.overview),
    events: events.eventStats.map((one) => figuresIn(one)),
    categories: new Map(categories.categoryStats.map((category) => [category.category, figuresIn(category)])),
    timeline: timelineIn(timeline),
  };
}

const request = (kind: "RESYNC" | "REBUILD" | "VERIFY") =>
  requestTask(stats.database, systemRuntime.newId(), kind);

test("a resync counts what no message told, once", async () => {
  const { messages, expected } = randomSale(diceOf(5), 60);
  await stats.count(...messages.filter((_, index) => index % 3 === 0));
  await request("RESYNC");
  expect(await maintain(sourcesOf(() => messages))).toMatchObject({ state: StatsTaskState.SUCCEEDED });
  expect(await told()).toEqual(expected);
  await stats.count(...messages);
  expect(await told()).toEqual(expected);
});

test("a resync is tried again until the services answer", async () => {
  const { messages, expected } = randomSale(diceOf(6), 10);
  let isAway = true;
  const away = sourcesOf(() => {
    if (isAway) throw new Error("away");
    return messages;
  });
  await request("RESYNC");
  const done = maintain(away);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await told()).overview.events).toBe(0);
  isAway = false;
  expect(await done).toMatchObject({ state: StatsTaskState.SUCCEEDED });
  expect(await told()).toEqual(expected);
});

test("a rebuild shows what the services have, and nothing else, while messages are counted", async () => {
  const { messages, expected } = randomSale(diceOf(7), 60);
  const [ghost, ghostType] = [randomUUID(), randomUUID()];
  const items = { [ghostType]: [5, 1_00] as const };
  await stats.count(
    batchOf(ghost, [event(ghost), ticketType(ghostType), reservation("ghost", { state: "PAID", items })]),
    ...messages.slice(0, messages.length / 2),
  );
  let delivered = messages.length / 2;
  const sources = sourcesOf(() => messages.slice(0, delivered));
  const { taskId } = await stats.operator.rebuildStats({});
  const rebuilding = maintain(sources);
  for (const delivery of deliveries(messages.slice(delivered), 10, diceOf(8))) {
    delivered += delivery.length;
    await stats.count(...delivery);
  }
  expect(await rebuilding).toMatchObject({
    taskId,
    kind: StatsTaskKind.REBUILD,
    state: StatsTaskState.SUCCEEDED,
  });
  expect(await told()).toEqual(expected);
  await request("REBUILD");
  await stats.database.query({ text: "update stats.progress set clear_after = stats.clock()" });
  expect(await maintain(sources)).toMatchObject({ state: StatsTaskState.SUCCEEDED });
  expect(await told()).toEqual(expected);
});

test("a rebuild without the services changes nothing, and says why", async () => {
  const { messages, expected } = randomSale(diceOf(9), 5);
  await stats.count(...messages);
  const { taskId } = await stats.operator.rebuildStats({});
  expect((await stats.operator.rebuildStats({})).taskId).toBe(taskId);
  const broken = sourcesOf(() => {
    throw new Error("away");
  });
  expect(await maintain(broken)).toMatchObject({
    state: StatsTaskState.FAILED,
    problem: expect.stringMatching(/./),
  });
  expect(await told()).toEqual(expected);
});

test("a task whose process died is taken over", async () => {
  const { messages, expected } = randomSale(diceOf(10), 5);
  const taskId = await request("REBUILD");
  await stats.database.query({
    text: `
      update stats.tasks
      set state = 'RUNNING', run_id = $1, run_until = stats.clock() + interval '1 second', entities = 7`,
    values: [randomUUID()],
  });
  expect(await maintain(sourcesOf(() => messages))).toMatchObject({
    taskId,
    state: StatsTaskState.SUCCEEDED,
  });
  expect(await told()).toEqual(expected);
});

const GHOST_TYPE = "insert into stats.ticket_type_counts values (0, gen_random_uuid(), 1, 0, 0, 0, 0, 0)";
const GHOST_RESERVATION = `
  insert into stats.reservations
  values (0, now() - interval '1 hour', gen_random_uuid(), gen_random_uuid(), 1, 'HELD', null, null, '[]')`;

describe("a verification", () => {
  const { messages } = randomSale(diceOf(11), 40);
  const [eventId, typeId, paymentId] = [randomUUID(), randomUUID(), randomUUID()];
  const sold = reservation("sold", { state: "PAID", items: { [typeId]: [2, 10_00] } });
  const all: ChangeBatch[] = [
    ...messages,
    batchOf(eventId, [event(eventId), ticketType(typeId), sold, payment(paymentId, { state: "SUCCEEDED" })]),
  ];

  const verify = async () => {
    const { taskId } = await stats.operator.verifyStats({});
    await maintain(sourcesOf(() => all)); // and what it leads to
    const { tasks } = await stats.operator.listStatsTasks({});
    const task = tasks.find((one) => one.taskId === taskId);
    if (task === undefined) throw new Error("the verification is forgotten");
    return task;
  };

  beforeEach(() => stats.count(...all));

  test("finds nothing where all is right", async () => {
    expect(await verify()).toMatchObject({ state: StatsTaskState.SUCCEEDED, differenceCount: 0n });
  });

  test.each([
    ["tickets", "ticket type", "update stats.ticket_type_counts set held = held + 1"],
    ["revenue", "ticket type", "update stats.ticket_type_counts set revenue_minor = revenue_minor + 1"],
    ["tickets of a type that nobody knows", "ticket type", GHOST_TYPE],
    ["reservations", "event's reservations", "update stats.event_counts set expired = expired + 1"],
    ["failures", "event's failed payments", "update stats.payment_failures set failures = failures + 1"],
    ["a minute", "timeline", "update stats.timeline set paid = paid + 1 where minutes = 1"],
    ["a quarter of an hour", "timeline", "delete from stats.timeline where minutes = 15"],
    ["times to pay", "time to pay", "update stats.pay_times set reservations = reservations + 1"],
    ["an event's name", "event", "update stats.events set name = 'Other'"],
    ["a quantity", "ticket type", "update stats.ticket_types set quantity = quantity + 1"],
    [
      "a reservation's state",
      "reservation",
      "update stats.reservations set state = 'EXPIRED', closed_at = created_at",
    ],
    ["a payment", "payment", "update stats.payments set failure_reason = 'OTHER'"],
    ["a reservation that was lost", "reservation", "delete from stats.reservations"],
    ["one that never was", "reservations", GHOST_RESERVATION],
  ])("finds what is wrong with %s", async (_, subject, corrupt) => {
    await stats.database.query({ text: corrupt });
    const { differences, differenceCount, state } = await verify();
    expect(state).toBe(StatsTaskState.SUCCEEDED);
    expect(differenceCount).toBeGreaterThan(0n);
    expect(differences.map((difference) => difference.subject)).toContain(subject);
  });

  test("waits for what is on its way", async () => {
    const late = batchOf(eventId, [reservation("late", { items: { [typeId]: [1, 10_00] } })]);
    all.push(late);
    await stats.operator.verifyStats({});
    const verifying = maintain(sourcesOf(() => all));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await stats.count(late);
    expect(await verifying).toMatchObject({ differenceCount: 0n });
  });

  test("comes by itself, and what it finds lost is asked for again", async () => {
    await stats.clear();
    const stop = new AbortController();
    const { database } = stats;
    const sources = sourcesOf(() => all);
    const running = runMaintenance(
      { database, sources, runtime: hasty, log, verifyEveryHours: 1 },
      stop.signal,
    );
    const tasks = async () =>
      (await stats.operator.listStatsTasks({})).tasks.map(({ kind, state }) => [kind, state]);
    const { SUCCEEDED } = StatsTaskState;
    await expect.poll(tasks, { timeout: 40_000 }).toEqual([
      [StatsTaskKind.RESYNC, SUCCEEDED],
      [StatsTaskKind.VERIFY, SUCCEEDED],
    ]);
    stop.abort();
    await running;
    expect(await verify()).toMatchObject({ differenceCount: 0n });
  });
});

describe("what may have been lost is noticed", () => {
  const stream = (state: Partial<StreamState> = {}) => ({
    created: "Monday",
    firstSeq: 1,
    lastSeq: 50,
    ...state,
  });

  test.each<[string, string | null, number, StreamState, Followed]>([
    ["nothing was counted yet", null, 0, stream(), "FIRST_SEEN"],
    ["the same stream", "Monday", 20, stream(), "WHOLE"],
    ["the same stream, all counted", "Monday", 50, stream(), "WHOLE"],
    [
      "the same stream, whose next message is the first it holds",
      "Monday",
      20,
      stream({ firstSeq: 21 }),
      "WHOLE",
    ],
    ["a new stream", "Monday", 20, stream({ created: "Tuesday" }), "LOST"],
    ["messages that went before they were counted", "Monday", 20, stream({ firstSeq: 22 }), "LOST"],
    ["messages that were counted and are unheard of", "Monday", 51, stream(), "LOST"],
  ])("%s", async (_, known, seq, found, expected) => {
    const values = [known, seq];
    await stats.database.query({ text: "update stats.progress set stream = $1, stream_seq = $2", values });
    expect(await followStream(stats.database, randomUUID(), found)).toBe(expected);
    const { tasks } = await stats.operator.listStatsTasks({});
    expect(tasks.map(({ kind }) => kind)).toEqual(expected === "WHOLE" ? [] : [StatsTaskKind.RESYNC]);
    expect(await followStream(stats.database, randomUUID(), found)).toBe("WHOLE");
  });
});
