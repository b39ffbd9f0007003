import { randomUUID } from "node:crypto";
import type { Database } from "@boxoffice/platform/database.ts";
import { TimelineInterval } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createStats, deliverTo, openDatabase, payloadOf, type Stats } from "./harness.ts";
import { at, batchOf, event, payment, reservation, ticketType } from "./messages.ts";
import {
  deliveries,
  diceOf,
  type Expected,
  figuresIn,
  randomSale,
  SALE_MINUTES,
  shuffled,
  timelineIn,
} from "./sale.ts";

let stats: Stats;
let replicas: Database[];

beforeAll(async () => {
  stats = await createStats();
  replicas = [openDatabase(stats.url), openDatabase(stats.url)];
});

beforeEach(() => stats.clear());

afterAll(async () => {
  await Promise.all(replicas.map((database) => database.close()));
  await stats.end();
});

/** What the service says, in the shape of what a plain recount of the sale says. */
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

test.each([1, 2, 3])(
  "changes delivered three times, shuffled, to two consumers at once, come to what the sale came to (seed %i)",
  async (seed) => {
    const dice = diceOf(seed);
    const { messages, expected, endsAtMs } = randomSale(dice, 60);
    const waiting = deliveries(shuffled([...messages, ...messages, ...messages], dice), 40, dice);
    const consumers = replicas.map(async (database) => {
      const deliver = deliverTo(database);
      for (let next = waiting.shift(); next; next = waiting.shift()) await deliver(next.map(payloadOf));
    });
    await Promise.all(consumers);
    expect(await told()).toEqual(expected);
    expect((await stats.operator.getOverview({})).asOf).toEqual(timestampFromMs(endsAtMs));
  },
);

test("two consumers that hear of the same new reservation at the same moment count it once", async () => {
  const [eventId, typeId] = [randomUUID(), randomUUID()];
  await stats.count(batchOf(eventId, [event(eventId), ticketType(typeId, { quantity: 1_000 })]));
  const consumers = [...replicas, ...replicas].map((database) => deliverTo(database));
  const rounds = 40;
  for (let round = 0; round < rounds; round++) {
    const name = `round ${round}`;
    const paymentId = randomUUID();
    const items = { [typeId]: [1, 10_00] as const };
    const versions = [
      [reservation(name, { items }), payment(paymentId, { state: "FAILED", failureReason: "CARD_DECLINED" })],
      [reservation(name, { version: 2, state: "PAYING", items }), payment(paymentId, { version: 2 })],
      [reservation(name, { version: 3, state: "PAID", items })],
      [payment(paymentId, { version: 3, state: "FAILED", failureReason: "PAYMENT_FAILED" })],
    ];
    await Promise.all(
      consumers.map((deliver, index) =>
        deliver([
          payloadOf(batchOf(eventId, versions[(index + round) % 4] ?? [])),
          payloadOf(batchOf(eventId, versions[(index + round + 1) % 4] ?? [])),
        ]),
      ),
    );
  }
  const { eventStats } = await stats.operator.getEventStats({ eventId });
  expect(eventStats).toMatchObject({
    held: 0n,
    paid: BigInt(rounds),
    reservations: { held: 0n, paid: BigInt(rounds), everPaid: BigInt(rounds) },
    paymentFailures: [{ reason: "PAYMENT_FAILED", count: BigInt(rounds) }],
  });
});

test("an answer is of one moment, while changes are counted", async () => {
  const [eventId, typeId] = [randomUUID(), randomUUID()];
  await stats.count(batchOf(eventId, [event(eventId), ticketType(typeId, { quantity: 1_000 })]));
  let counting = true;
  const writing = (async () => {
    for (let round = 1; round <= 60; round++) {
      const state = round % 2 === 0 ? "HELD" : "PAID";
      const items = { [typeId]: [10, 1_00] as const };
      await stats.count(
        batchOf(eventId, [reservation("one", { version: round, state, wasPaid: true, items })]),
      );
    }
    counting = false;
  })();
  while (counting) {
    const { eventStats } = await stats.operator.getEventStats({ eventId });
    expect(eventStats?.held).toBe(10n * (eventStats?.reservations?.held ?? 0n));
    expect(eventStats?.paid).toBe(10n * (eventStats?.reservations?.paid ?? 0n));
    const { overview } = await stats.operator.getOverview({});
    expect(overview?.held).toBe(10n * (overview?.reservations?.held ?? 0n));
  }
  await writing;
});
