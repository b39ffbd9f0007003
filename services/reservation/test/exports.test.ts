import { isRefusal } from "@boxoffice/platform/errors.ts";
import { type Change, ChangeBatchSchema } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { ReservationState } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { fromBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSale, items, newId, type OpenEvent, openEvent, type Replica } from "./harness.ts";

let sale: Awaited<ReturnType<typeof createSale>>;
let replica: Replica;
let opening: OpenEvent;
let closing: OpenEvent;

beforeAll(async () => {
  sale = await createSale();
  replica = await sale.start();
  [opening, closing] = [await openEvent(replica, [5_000, 50]), await openEvent(replica, [100])];
  await sellSomeOfEach();
});

afterAll(() => sale.end());

/** More than a page, and of every state. */
async function sellSomeOfEach() {
  const reserve = (event: OpenEvent, ...quantities: number[]) =>
    replica.buyer.reserve({ eventId: event.eventId, items: items(event.types, ...quantities) });
  const held = await Promise.all(Array.from({ length: 520 }, () => reserve(opening, 1)));
  await reserve(opening, 2, 3);
  await reserve(closing, 4);
  const [cancelled, paid, paying] = held.map(({ reservation }) => reservation?.reservationId ?? "");
  await replica.buyer.cancelReservation({ reservationId: cancelled ?? "" });
  for (const [reservationId, isConfirmed] of [
    [paid, true],
    [paying, false],
  ] as const) {
    const payment = { reservationId: reservationId ?? "", paymentId: newId() };
    await replica.payment.beginPayment(payment);
    if (isConfirmed) await replica.payment.confirmPayment(payment);
  }
}

/** An entity's change by who it is. */
function keyed({ change }: Change, eventId: string): [string, unknown] {
  if (change.case === "reservation") return [change.value.reservationRef, { eventId, ...change.value }];
  if (change.case === "ticketType") return [change.value.ticketTypeId, { eventId, ...change.value }];
  throw new Error(`reservation announces no ${change.case}`);
}

/** The newest change of each entity that was written to the outbox. */
async function announced(ofEvent?: string): Promise<Map<string, unknown>> {
  const rows = await replica.database.query<{ payload: Buffer }>({
    text: "select payload from reservation.outbox",
  });
  const batches = rows.map(({ payload }) => fromBinary(ChangeBatchSchema, payload));
  return new Map(
    batches
      .filter(({ eventId }) => ofEvent === undefined || eventId === ofEvent)
      .flatMap(({ eventId, changes }) => changes.map((change) => ({ eventId, change })))
      .sort((a, b) => Number((a.change.change.value?.version ?? 0n) - (b.change.change.value?.version ?? 0n)))
      .map(({ eventId, change }) => keyed(change, eventId)),
  );
}

async function exported(eventId = "") {
  const entities: [string, unknown][] = [];
  let messages = 0;
  for await (const { batches } of replica.stats.export({ eventId })) {
    messages++;
    for (const batch of batches) {
      entities.push(...batch.changes.map((change) => keyed(change, batch.eventId)));
    }
  }
  return { messages, entities };
}

test("what is exported is what was announced last, each entity once, in pages", async () => {
  const { messages, entities } = await exported();
  expect(new Map(entities)).toEqual(await announced());
  expect(entities.length).toBe(new Map(entities).size);
  expect(messages).toBeGreaterThanOrEqual(3);
});

test("of one event, nothing of another is exported", async () => {
  const { entities } = await exported(closing.eventId.toUpperCase());
  expect(new Map(entities)).toEqual(await announced(closing.eventId));
});

test("an export while the sale goes on misses nothing that was there when it began", async () => {
  const before = await announced();
  const selling = Array.from({ length: 20 }, () =>
    replica.buyer.reserve({ eventId: closing.eventId, items: items(closing.types, 1) }),
  );
  const refs = new Set((await exported()).entities.map(([key]) => key));
  await Promise.all(selling);
  for (const key of before.keys()) expect(refs).toContain(key);
});

test.each(["catalog", "payment"] as const)("%s may not export changes", async (role) => {
  const reading = replica[role].export({})[Symbol.asyncIterator]().next();
  const error = await reading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(isRefusal(error, "PERMISSION_DENIED")).toBe(true);
});

describe("CSV for operators", () => {
  const csvOf = async (eventId: string, ...states: ReservationState[]) => {
    let text = "";
    for await (const { csv } of replica.operator.exportReservations({ eventId, states })) text += csv;
    return text.split("\r\n").slice(0, -1);
  };

  test("a line for each ticket type of each reservation, oldest first", async () => {
    const [header, ...lines] = await csvOf(opening.eventId);
    expect(header).toContain("reservation_id,state,create_time");
    expect(lines.length).toBe(520 + 2);
    const ids = lines.map((line) => line.slice(0, 36));
    expect(ids).toEqual(ids.toSorted());
    const ofBoth = lines.filter((line) => line.includes(",Type 1,vip,3,10.00,30.00,EUR,"));
    expect(ofBoth.length).toBe(1);
    expect(lines.map((line) => line.slice(0, 36)).filter((id) => ofBoth[0]?.startsWith(id)).length).toBe(2);
  });

  test.each([
    ["HELD", 518],
    ["PAYING", 1],
    ["PAID", 1],
    ["CANCELLED", 1],
    ["EXPIRED", 0],
  ] as const)("only those that are %s", async (state, reservations) => {
    const [, ...lines] = await csvOf(opening.eventId, ReservationState[state]);
    expect(new Set(lines.map((line) => line.slice(0, 36))).size).toBe(reservations);
    expect(lines.every((line) => line.includes(`,${state},`))).toBe(true);
  });

  test("a hold past its time is EXPIRED, and a customer's name is no formula", async () => {
    const short = await sale.start({ holdMs: 1 });
    const event = await openEvent(short, [10]);
    const customer = { name: '=HYPERLINK("https://example.org";"refund")', email: "a@example.org" };
    const { reservation } = await short.buyer.reserve({
      eventId: event.eventId,
      items: items(event.types, 2),
      customer,
    });
    const [, line, ...others] = await csvOf(event.eventId, ReservationState.EXPIRED);
    expect(others).toEqual([]);
    expect(line).toContain(`${reservation?.reservationId},EXPIRED,`);
    expect(line).toContain(
      `"'=HYPERLINK(""https://example.org"";""refund"")",a@example.org,Type 0,regular,2,`,
    );
  });

  test("an event that there is not", async () => {
    const error = await csvOf(newId()).catch((thrown: unknown) => thrown);
    expect(isRefusal(error, "EVENT_NOT_FOUND")).toBe(true);
  });

  test("buyers may not", async () => {
    const reading = replica.buyer
      .exportReservations({ eventId: opening.eventId })
      [Symbol.asyncIterator]()
      .next();
    const error = await reading.catch((thrown: unknown) => thrown);
    expect(isRefusal(error, "UNAUTHENTICATED")).toBe(true);
  });
});
