import { ReservationState } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { durationMs, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSale, items, newId, openEvent, type Replica } from "./harness.ts";

let sale: Awaited<ReturnType<typeof createSale>>;
let replica: Replica;
let other: Replica;

beforeAll(async () => {
  sale = await createSale();
  replica = await sale.start();
  other = await sale.start();
});

afterAll(() => sale.end());

const available = async (eventId: string): Promise<number[]> =>
  (await replica.buyer.getAvailability({ eventId })).ticketTypes.map((type) => type.available);

const refused = (reason: string, metadata: Record<string, string> = {}) => ({ reason, metadata });

/** The books of an event equal a recount, whatever was done to it. */
async function expectConsistent(eventId: string): Promise<void> {
  expect(await replica.operator.recount({ eventId })).toMatchObject({ consistent: true });
}

describe("reserve", () => {
  test("holds several types at once, for a quarter of an hour, and they are gone for others", async () => {
    const { eventId, types } = await openEvent(replica, [10, 5]);
    const { reservation } = await replica.buyer.reserve({
      eventId,
      items: items(types, 2, 3),
      customer: { name: "Ada", email: "ada@example.org" },
    });
    expect(reservation).toMatchObject({
      eventId,
      state: ReservationState.HELD,
      total: { currencyCode: "EUR", minorUnits: 50_00n },
      paymentId: "",
    });
    expect(reservation?.customer).toBeUndefined();
    expect(reservation?.expiresIn && durationMs(reservation.expiresIn)).toBe(900_000);
    expect(await available(eventId)).toEqual([8, 2]);
    const read = await replica.buyer.getReservation({ reservationId: reservation?.reservationId ?? "" });
    expect(read.reservation).toEqual({ ...reservation, expiresIn: expect.anything() });
    await expectConsistent(eventId);
  });

  test("gives everybody of a batch their own reservation, with what they asked for", async () => {
    const { eventId, types } = await openEvent(replica, [1_000, 1_000]);
    const wishes = Array.from({ length: 60 }, (_, index) => items(types, 1 + (index % 3), 1 + (index % 2)));
    const answers = await Promise.all(
      wishes.map((wish, index) =>
        replica.buyer.reserve({ eventId, items: wish, customer: { name: `${index}` } }),
      ),
    );
    expect(new Set(answers.map(({ reservation }) => reservation?.reservationId)).size).toBe(60);
    for (const [index, { reservation: told }] of answers.entries()) {
      const reservationId = told?.reservationId ?? "";
      const { reservation: read } = await replica.operator.getReservation({ reservationId });
      const expected = { ...told, expiresIn: expect.anything(), customer: { name: `${index}`, email: "" } };
      expect(read).toMatchObject(expected);
      expect(told?.items.map(({ quantity }) => quantity)).toEqual(
        wishes[index]?.map(({ quantity }) => quantity),
      );
    }
  });

  test("is all or nothing", async () => {
    const { eventId, types } = await openEvent(replica, [10, 5]);
    await expect(replica.buyer.reserve({ eventId, items: items(types, 2, 6) })).rejects.toMatchObject(
      refused("SOLD_OUT", { ticket_type_id: types[1] ?? "", available: "5" }),
    );
    expect(await available(eventId)).toEqual([10, 5]);
  });

  test("says why not", async () => {
    const { eventId, types } = await openEvent(replica, [10], { maxPerReservation: 4 });
    const stranger = await openEvent(replica, [10]);
    const later = new Date(Date.now() + 60_000);
    const early = await openEvent(replica, [10], { salesStart: timestampFromMs(later.getTime()) });
    const late = await openEvent(replica, [10], { salesEnd: timestampFromMs(Date.now() - 1_000) });
    const past = await openEvent(replica, [10], {}, -1_000);
    const one = (event: { eventId: string; types: string[] }, quantity = 1) =>
      replica.buyer.reserve({ eventId: event.eventId, items: items(event.types, quantity) });
    await expect(one({ eventId, types }, 5)).rejects.toMatchObject(
      refused("LIMIT_EXCEEDED", { max_per_reservation: "4", ticket_type_id: types[0] ?? "" }),
    );
    await expect(one({ eventId, types: stranger.types })).rejects.toMatchObject({
      reason: "TICKET_TYPE_NOT_FOUND",
    });
    await expect(one({ eventId: newId(), types })).rejects.toMatchObject({ reason: "EVENT_NOT_FOUND" });
    await expect(one(early)).rejects.toMatchObject({
      reason: "SALES_NOT_OPEN",
      metadata: { sales_start: later.toISOString() },
    });
    await expect(one(late)).rejects.toMatchObject({ reason: "SALES_CLOSED" });
    await expect(one(past)).rejects.toMatchObject({ reason: "SALES_CLOSED" });
    expect(await available(eventId)).toEqual([10]);
  });

  test.each([
    ["no items", { items: [] }, "items"],
    ["a type twice", { items: [{ ticketTypeId: newId(), quantity: 1 }] }, "items", true],
    ["quantity 0", { items: [{ ticketTypeId: newId(), quantity: 0 }] }, "items[0].quantity"],
    ["quantity -1", { items: [{ ticketTypeId: newId(), quantity: -1 }] }, "items[0].quantity"],
    ["2^31-1 tickets", { items: [{ ticketTypeId: newId(), quantity: 2 ** 31 - 1 }] }, "items[0].quantity"],
    ["a malformed type", { items: [{ ticketTypeId: "x", quantity: 1 }] }, "items[0].ticket_type_id"],
    [
      "a malformed event",
      { eventId: "1' or '1'='1", items: [{ ticketTypeId: newId(), quantity: 1 }] },
      "event_id",
    ],
    [
      "a malformed request id",
      { requestId: "again", items: [{ ticketTypeId: newId(), quantity: 1 }] },
      "request_id",
    ],
    [
      "a million characters",
      { customer: { name: "x".repeat(1_000_000) }, items: [{ ticketTypeId: newId(), quantity: 1 }] },
      "customer.name",
    ],
    [
      "no e-mail",
      { customer: { email: "ada" }, items: [{ ticketTypeId: newId(), quantity: 1 }] },
      "customer.email",
    ],
  ])("names the field: %s", async (_, request, field, twice = false) => {
    const wanted = twice ? [...request.items, ...request.items] : request.items;
    const call = replica.buyer.reserve({ eventId: newId(), ...request, items: wanted });
    await expect(call).rejects.toMatchObject({ reason: "INVALID_REQUEST", fields: [{ field }] });
  });
});

describe("request_id", () => {
  test("returns the reservation as it is now, also from another replica and in another spelling", async () => {
    const { eventId, types } = await openEvent(replica, [10, 10]);
    const requestId = newId();
    const first = await replica.buyer.reserve({ eventId, items: items(types, 1, 2), requestId });
    const reservationId = first.reservation?.reservationId ?? "";
    const again = await other.buyer.reserve({
      eventId: eventId.toUpperCase(),
      items: items(types, 1, 2).reverse(),
      requestId: requestId.toUpperCase(),
    });
    expect(again.reservation).toMatchObject({ reservationId, state: ReservationState.HELD });
    await replica.buyer.cancelReservation({ reservationId });
    const afterwards = await other.buyer.reserve({ eventId, items: items(types, 1, 2), requestId });
    expect(afterwards.reservation).toMatchObject({ reservationId, state: ReservationState.CANCELLED });
    expect(await available(eventId)).toEqual([10, 10]);
    await expect(
      other.buyer.reserve({ eventId, items: items(types, 1, 1), requestId }),
    ).rejects.toMatchObject({
      reason: "REQUEST_ID_REUSED",
    });
  });

  test("sent fifty times at once to two replicas makes one hold", async () => {
    const { eventId, types } = await openEvent(replica, [100]);
    const requestId = newId();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 ? replica : other).buyer.reserve({ eventId, items: items(types, 1), requestId }),
      ),
    );
    expect(new Set(answers.map(({ reservation }) => reservation?.reservationId)).size).toBe(1);
    expect(await available(eventId)).toEqual([99]);
  });

  test("used at once for different tickets of different events makes one hold, and refuses the rest", async () => {
    const events = await Promise.all(Array.from({ length: 8 }, () => openEvent(replica, [10])));
    const requestId = newId();
    const results = await Promise.allSettled(
      events.flatMap(({ eventId, types }) =>
        [replica, other].map(({ buyer }) => buyer.reserve({ eventId, items: items(types, 1), requestId })),
      ),
    );
    const made = results.flatMap((result) =>
      result.status === "fulfilled" ? [result.value.reservation] : [],
    );
    expect(new Set(made.map((reservation) => reservation?.reservationId)).size).toBe(1);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "REQUEST_ID_REUSED" });
    }
    const left = await Promise.all(events.map(({ eventId }) => available(eventId)));
    expect(left.flat().reduce((sum, count) => sum + count)).toBe(8 * 10 - 1);
  });

  test("after a refusal is decided anew", async () => {
    const { eventId, types } = await openEvent(replica, [1]);
    const first = await replica.buyer.reserve({ eventId, items: items(types, 1) });
    const requestId = newId();
    const wanted = { eventId, items: items(types, 1), requestId };
    await expect(replica.buyer.reserve(wanted)).rejects.toMatchObject({ reason: "SOLD_OUT" });
    await replica.buyer.cancelReservation({ reservationId: first.reservation?.reservationId ?? "" });
    expect((await replica.buyer.reserve(wanted)).reservation?.state).toBe(ReservationState.HELD);
  });
});

test("500 tickets, 3,000 buyers, two replicas: 500 sold, and not one more", async () => {
  const { eventId, types } = await openEvent(replica, [500]);
  const results = await Promise.allSettled(
    Array.from({ length: 3_000 }, (_, index) =>
      (index % 2 ? replica : other).buyer.reserve({ eventId, items: items(types, 1) }),
    ),
  );
  const reasons = results.flatMap((result) => (result.status === "rejected" ? [result.reason.reason] : []));
  expect(results.length - reasons.length).toBe(500);
  expect(new Set(reasons)).toEqual(new Set(["SOLD_OUT"]));
  expect(await available(eventId)).toEqual([0]);
  await expectConsistent(eventId);
});

test("a queue that is full refuses at once and says when to come back", async () => {
  const small = await sale.start({ maxQueue: 5 });
  const { eventId, types } = await openEvent(replica, [1_000]);
  const results = await Promise.allSettled(
    Array.from({ length: 200 }, () => small.buyer.reserve({ eventId, items: items(types, 1) })),
  );
  const refusals = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  expect(refusals.length).toBeGreaterThan(0);
  for (const refusal of refusals)
    expect(refusal).toMatchObject({ reason: "OVERLOADED", retryAfterMs: 1_000 });
  expect(await available(eventId)).toEqual([1_000 - (results.length - refusals.length)]);
});

describe("operators", () => {
  test("see customers, buyers do not; and find reservations by event, state, e-mail and time", async () => {
    const { eventId, types } = await openEvent(replica, [100]);
    const before = Date.now() - 1;
    const ids: string[] = [];
    for (const name of ["ada", "bob", "cleo"]) {
      const { reservation } = await replica.buyer.reserve({
        eventId,
        items: items(types, 1),
        customer: { name, email: `${name}@Example.org` },
      });
      ids.unshift(reservation?.reservationId ?? "");
    }
    await replica.buyer.cancelReservation({ reservationId: ids[0] ?? "" });
    const list = async (filter: object) =>
      (await replica.operator.listReservations({ eventId, ...filter })).reservations.map(
        ({ reservationId }) => reservationId,
      );
    expect(await list({})).toEqual(ids);
    expect(await list({ states: [ReservationState.HELD] })).toEqual(ids.slice(1));
    expect(await list({ email: "BOB@example.org" })).toEqual([ids[1]]);
    expect(await list({ createTime: { from: timestampFromMs(before) } })).toEqual(ids);
    expect(await list({ createTime: { until: timestampFromMs(before) } })).toEqual([]);
    const { reservation } = await replica.operator.getReservation({ reservationId: ids[1] ?? "" });
    expect(reservation?.customer).toMatchObject({ name: "bob", email: "bob@Example.org" });
    await expect(replica.buyer.listReservations({})).rejects.toMatchObject({ reason: "UNAUTHENTICATED" });
  });

  test("page through everything once", async () => {
    const { eventId, types } = await openEvent(replica, [100]);
    for (let count = 0; count < 7; count++) await replica.buyer.reserve({ eventId, items: items(types, 1) });
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await replica.operator.listReservations({ eventId, pageSize: 3, pageToken });
      expect(page.reservations.length).toBeLessThanOrEqual(3);
      seen.push(...page.reservations.map(({ reservationId }) => reservationId));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(new Set(seen).size).toBe(7);
    expect(seen.length).toBe(7);
    for (const token of ["x", "e30", Buffer.from('["1"]').toString("base64url")]) {
      await expect(replica.operator.listReservations({ pageToken: token })).rejects.toMatchObject({
        fields: [{ field: "page_token" }],
      });
    }
  });

  test("pause a sale, during which holds can be paid, and resume it", async () => {
    const { eventId, types } = await openEvent(replica, [10]);
    const held = await replica.buyer.reserve({ eventId, items: items(types, 1) });
    await replica.operator.pauseSales({ eventId });
    await expect(other.buyer.reserve({ eventId, items: items(types, 1) })).rejects.toMatchObject({
      reason: "SALES_PAUSED",
    });
    await replica.payment.beginPayment({
      reservationId: held.reservation?.reservationId ?? "",
      paymentId: newId(),
    });
    await replica.operator.resumeSales({ eventId });
    await other.buyer.reserve({ eventId, items: items(types, 1) });
    expect(await available(eventId)).toEqual([8]);
  });
});

test("an answer that did not change is the same to the byte, and as_of moves with each change", async () => {
  const { eventId, types } = await openEvent(replica, [10]);
  const first = await replica.buyer.getAvailability({ eventId });
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await other.buyer.getAvailability({ eventId })).toEqual(first);
  await replica.buyer.reserve({ eventId, items: items(types, 1) });
  const second = await replica.buyer.getAvailability({ eventId });
  const asOf = (answer: typeof first) => (answer.asOf ? timestampMs(answer.asOf) : 0);
  expect(asOf(second)).toBeGreaterThan(asOf(first));
});
