import { randomUUID } from "node:crypto";
import { createLogger } from "@boxoffice/platform/log.ts";
import { euro } from "@boxoffice/platform/parse.ts";
import { refOf } from "@boxoffice/platform/ref.ts";
import {
  type Change,
  ChangeBatchSchema,
  ChangeSchema,
  EventState,
  PaymentState,
  ReservationState,
} from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { register } from "prom-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createStats, deliverTo, payloadOf, type Stats } from "./harness.ts";
import { batchOf, event, payment, reservation, ticketType } from "./messages.ts";

let stats: Stats;

beforeAll(async () => {
  stats = await createStats();
});

afterAll(() => stats.end());

const typeId = randomUUID();

const badReservation = (value: MessageInitShape<typeof ChangeSchema>["change"] & { case: "reservation" }) =>
  create(ChangeSchema, { change: value });

const SOME_TIME = timestampFromMs(Date.UTC(2026, 5, 1));

const reservationWith = (overrides: object, item: object = {}): Change =>
  badReservation({
    case: "reservation",
    value: {
      reservationRef: refOf("bad"),
      version: 9n,
      state: ReservationState.PAID,
      items: [{ ticketTypeId: typeId, quantity: 1, unitPrice: euro(1n), ...item }],
      createTime: SOME_TIME,
      payTime: SOME_TIME,
      ...overrides,
    },
  });

const eventWith = (eventId: string, overrides: object): Change => {
  const startsAt = timestampFromMs(Date.UTC(2026, 1, 1));
  const value = { eventId, version: 9n, name: "Bad", startsAt, timeZone: "UTC", state: EventState.PUBLISHED };
  return create(ChangeSchema, { change: { case: "event", value: { ...value, ...overrides } } });
};

const typeWith = (overrides: object): Change => {
  const value = { ticketTypeId: typeId, version: 9n, name: "Bad", category: "bad", quantity: 1 };
  return create(ChangeSchema, { change: { case: "ticketType", value: { ...value, ...overrides } } });
};

const paymentWith = (overrides: object): Change => {
  const value = { paymentId: randomUUID(), version: 9n, state: PaymentState.FAILED, failureReason: "BAD" };
  return create(ChangeSchema, { change: { case: "payment", value: { ...value, ...overrides } } });
};

/** A change of a kind that the contract may have one day: field 15, which nobody here knows. */
const future = (): Change => {
  const change = create(ChangeSchema);
  change.$unknown = [{ no: 15, wireType: 2, data: new Uint8Array([1, 7]) }];
  return change;
};

const id = randomUUID();
const FAR = { seconds: 900_000_000_000n, nanos: 0 };

describe("one change that cannot be counted is skipped, and its neighbours are counted", () => {
  test.each<[string, Change]>([
    ["of no kind", create(ChangeSchema)],
    ["of a kind to come", future()],
    ["a reservation without its ref", reservationWith({ reservationRef: "" })],
    ["a ref that is no hash", reservationWith({ reservationRef: id })],
    ["no version", reservationWith({ version: 0n })],
    ["a version below 0", reservationWith({ version: -1n })],
    ["no state", reservationWith({ state: 0 })],
    ["a state to come", reservationWith({ state: 99 })],
    ["no time of its making", reservationWith({ createTime: undefined })],
    ["a time that no database holds", reservationWith({ createTime: FAR })],
    ["paid at no time", reservationWith({ payTime: undefined })],
    ["closed at no time", reservationWith({ state: ReservationState.EXPIRED })],
    ["no price", reservationWith({}, { unitPrice: undefined })],
    ["another currency", reservationWith({}, { unitPrice: { currencyCode: "USD", minorUnits: 1n } })],
    ["a price below 0", reservationWith({}, { unitPrice: euro(-1n) })],
    ["a price past counting", reservationWith({}, { unitPrice: euro(2n ** 62n) })],
    ["no tickets", reservationWith({}, { quantity: 0 })],
    ["tickets below 0", reservationWith({}, { quantity: -5 })],
    ["tickets past counting", reservationWith({}, { quantity: 2_000_000_000 })],
    ["no ticket type", reservationWith({}, { ticketTypeId: "" })],
    ["an event without a start", eventWith(id, { startsAt: undefined })],
    ["a start that no database holds", eventWith(id, { startsAt: FAR })],
    ["an event that is none", eventWith("' or true", {})],
    ["an event in no state", eventWith(id, { state: 0 })],
    ["a name that no database holds", eventWith(id, { name: "a\0b" })],
    ["a quantity below 0", typeWith({ quantity: -1 })],
    ["a category past all indexes", typeWith({ category: "c".repeat(100_000) })],
    ["a payment that is none", paymentWith({ paymentId: "1" })],
    ["a payment in a state to come", paymentWith({ state: 99 })],
    ["a reason that no database holds", paymentWith({ failureReason: "\0" })],
  ])("%s", async (_, bad) => {
    await stats.clear();
    const eventId = randomUUID();
    await stats.count(
      batchOf(eventId, [
        event(eventId),
        bad,
        ticketType(typeId),
        reservation("good", { state: "PAID", items: { [typeId]: [2, 10_00] } }),
        payment(randomUUID(), { state: "FAILED", failureReason: "GOOD" }),
      ]),
    );
    const { overview } = await stats.operator.getOverview({});
    expect(overview).toMatchObject({ events: 1n, paid: 2n, quantity: 100n, revenue: euro(20_00n) });
    expect(overview?.paymentFailures).toMatchObject([{ reason: "GOOD", count: 1n }]);
  });
});

test("messages that cannot be read are skipped, logged and counted, and the others count", async () => {
  await stats.clear();
  register.resetMetrics();
  const lines: string[] = [];
  const log = createLogger("test", "warn");
  Object.assign(log, { warn: (...line: unknown[]) => lines.push(JSON.stringify(line)) });
  const eventId = randomUUID();
  const good = batchOf(eventId, [event(eventId), create(ChangeSchema)]);
  await deliverTo(
    stats.database,
    log,
  )([
    new Uint8Array([255, 255, 255]),
    new TextEncoder().encode("no protobuf, but a secret"),
    payloadOf(create(ChangeBatchSchema, { eventId: "no id", changes: [event(eventId)] })),
    payloadOf(create(ChangeBatchSchema, { eventId, changes: [event(eventId)], changeTime: FAR })),
    payloadOf(good),
    new Uint8Array(),
  ]);
  expect((await stats.operator.getOverview({})).overview?.events).toBe(1n);
  expect(lines.length).toBe(6);
  expect(lines.join()).not.toContain("secret");
  const metrics = await register.getSingleMetricAsString("boxoffice_stats_skipped_total");
  expect(metrics).toContain('boxoffice_stats_skipped_total{part="message"} 5');
  expect(metrics).toContain('boxoffice_stats_skipped_total{part="change"} 1');
});

test("a batch of nothing but poison is done with, and changes nothing, not even the time", async () => {
  await stats.clear();
  await stats.count(batchOf(randomUUID(), [create(ChangeSchema)]));
  expect((await stats.operator.getOverview({})).asOf).toBeUndefined();
});
