import type { Database } from "@boxoffice/platform/database.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { fromStatus } from "@boxoffice/platform/rpc/status.ts";
import { ChangeBatchSchema, ReservationState } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import type { ReserveResult } from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import type { Status } from "@boxoffice/proto/google/rpc/status_pb.ts";
import { fromBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { begin, confirm } from "../domain/transitions.ts";
import { changeReservations } from "../store/change.ts";
import { reserveBatch } from "../store/reserve.ts";
import { createSale, items, newId, openEvent, type Replica } from "./harness.ts";

let sale: Awaited<ReturnType<typeof createSale>>;
let replica: Replica;

beforeAll(async () => {
  sale = await createSale();
  replica = await sale.start();
});

afterAll(async () => {
  await sale?.end();
});

const hold = async ({ eventId, types }: { eventId: string; types: string[] }, quantity = 1) => {
  const { reservation } = await replica.buyer.reserve({ eventId, items: items(types, quantity) });
  return reservation?.reservationId ?? "";
};

const reasonOf = (status: Status | undefined) => {
  const error = status && fromStatus(status);
  return error instanceof BoxofficeError ? error.reason : error;
};

/** What became of each, in a word. */
const told = (
  results: { outcome: { case: string; value: unknown } | { case: undefined; value?: undefined } }[],
) =>
  results.map(({ outcome }) =>
    outcome.case === "error" ? reasonOf(outcome.value as Status) : (outcome.case ?? "nothing"),
  );

const isConsistent = async (eventId: string) => (await replica.operator.recount({ eventId })).consistent;

describe("many payments at once", () => {
  test("each begins, ends and fails on its own", async () => {
    const event = await openEvent(replica, [10]);
    const [paid, failed, gone] = [await hold(event), await hold(event), await hold(event)];
    await replica.buyer.cancelReservation({ reservationId: gone });
    const payments = [paid, failed, gone, newId()].map((reservationId) => ({
      reservationId,
      paymentId: newId(),
    }));
    const begun = await replica.payment.beginPayments({ items: payments });
    expect(told(begun.results)).toEqual(["done", "done", "RESERVATION_CANCELLED", "RESERVATION_NOT_FOUND"]);
    expect(begun.results[0]?.outcome.value).toMatchObject({
      eventId: event.eventId,
      amount: { currencyCode: "EUR", minorUnits: 10_00n },
    });
    const aborted = await replica.payment.abortPayments({ items: payments.slice(1, 2) });
    expect(told(aborted.results)).toEqual(["done"]);
    const confirmed = await replica.payment.confirmPayments({ items: payments.slice(0, 2) });
    expect(told(confirmed.results)).toEqual(["done", "PAYMENT_FAILED"]);
    const released = await replica.payment.releasePaids({ items: payments.slice(0, 2) });
    expect(told(released.results)).toEqual(["done", "PAYMENT_FAILED"]);
    expect(await isConsistent(event.eventId)).toBe(true);
  });

  test("see what those before them made of the same reservation", async () => {
    const event = await openEvent(replica, [10]);
    const reservationId = await hold(event, 2);
    const [first, second] = [
      { reservationId, paymentId: newId() },
      { reservationId, paymentId: newId() },
    ];
    const begun = await replica.payment.beginPayments({ items: [first, second, first] });
    expect(told(begun.results)).toEqual(["done", "PAYMENT_IN_PROGRESS", "done"]);
    const confirmed = await replica.payment.confirmPayments({ items: [first, second, first] });
    expect(told(confirmed.results)).toEqual(["done", "RESERVATION_ALREADY_PAID", "done"]);
    const { ticketTypes } = await replica.operator.recount({ eventId: event.eventId });
    expect(ticketTypes[0]?.booked).toMatchObject({ available: 8, held: 0, paid: 2 });
    expect(await isConsistent(event.eventId)).toBe(true);
  });

  test("that meet at one reservation announce every version of it, and leave it in the last", async () => {
    const event = await openEvent(replica, [10]);
    const [reservationId, paymentId] = [await hold(event), newId()];
    const wish = { reservationId, paymentId, abortsPayment: false };
    const { database } = replica;
    const outcomes = await changeReservations(
      [
        { ...wish, decide: (facts) => begin(facts, paymentId, 0) },
        { ...wish, decide: (facts) => confirm(facts, paymentId) },
      ],
      { database, newId },
    );
    expect(outcomes).toMatchObject([{ kind: "done" }, { kind: "done", reservation: { state: "PAID" } }]);
    const rows = await database.query<{ payload: Buffer }>({
      text: "select payload from reservation.outbox where event_id = $1 order by outbox_id",
      values: [event.eventId],
    });
    const told = rows
      .flatMap(({ payload }) => fromBinary(ChangeBatchSchema, payload).changes)
      .flatMap(({ change }) => (change.case === "reservation" ? [change.value] : []));
    expect(told.map(({ version, state }) => [version, state])).toEqual([
      [1n, ReservationState.HELD],
      [2n, ReservationState.PAYING],
      [3n, ReservationState.PAID],
    ]);
    expect(await isConsistent(event.eventId)).toBe(true);
  });

  test("of hundreds of holds move the stock exactly, whatever becomes of each", async () => {
    const event = await openEvent(replica, [1_000, 1_000]);
    const holds = await Promise.all(Array.from({ length: 300 }, (_, index) => hold(event, 1 + (index % 3))));
    const payments = holds.map((reservationId) => ({ reservationId, paymentId: newId() }));
    await replica.payment.beginPayments({ items: payments });
    const [sold, lost] = [payments.slice(0, 150), payments.slice(150)];
    await Promise.all([
      replica.payment.confirmPayments({ items: sold }),
      replica.payment.abortPayments({ items: lost }),
      ...lost
        .slice(50)
        .map(({ reservationId }) =>
          replica.buyer.cancelReservation({ reservationId }).catch((error: unknown) => error),
        ),
    ]);
    await replica.payment.releasePaids({
      items: sold.slice(0, 50).map((payment, index) => ({ ...payment, keepOffSale: index % 2 === 0 })),
    });
    const { ticketTypes, consistent } = await replica.operator.recount({ eventId: event.eventId });
    expect(consistent).toBe(true);
    const tickets = (indices: number[]) => indices.reduce((sum, index) => sum + 1 + (index % 3), 0);
    const indices = [...holds.keys()];
    const keptOff = indices.filter((index) => index < 50 && index % 2 === 0);
    expect(ticketTypes[0]?.booked).toMatchObject({
      paid: tickets(indices.slice(50, 150)),
      quantity: 1_000 - tickets(keptOff),
    });
  });
});

describe("many reservations at once", () => {
  const outcomes = (results: ReserveResult[]) => told(results);

  test("each is checked, decided and answered on its own", async () => {
    const { eventId, types } = await openEvent(replica, [5]);
    const requestId = newId();
    const wish = (quantity: number) => ({ eventId, items: items(types, quantity) });
    const { results } = await replica.gateway.reserveMany({
      items: [
        { request: wish(2) },
        { request: wish(0) },
        {},
        { request: { eventId: "nonsense", items: [] } },
        { request: { ...wish(1), requestId } },
        { request: { ...wish(1), requestId } },
        { request: { ...wish(2), requestId } },
        { request: wish(3) },
        { request: wish(2) },
      ],
    });
    expect(outcomes(results)).toEqual([
      "reservation",
      "INVALID_REQUEST",
      "INVALID_REQUEST",
      "INVALID_REQUEST",
      "reservation",
      "reservation",
      "REQUEST_ID_REUSED",
      "SOLD_OUT",
      "reservation",
    ]);
    const error = results[1]?.outcome.case === "error" ? fromStatus(results[1].outcome.value) : undefined;
    expect(error).toMatchObject({ fields: [{ field: "items[0].quantity" }] });
    const idOf = ({ outcome }: ReserveResult) =>
      outcome.case === "reservation" ? outcome.value.reservationId : undefined;
    expect(results.slice(4, 6).map(idOf)).toEqual([expect.any(String), results.slice(4, 5).map(idOf)[0]]);
    expect(await isConsistent(eventId)).toBe(true);
  });

  test("only the gateway may ask so", async () => {
    const { eventId, types } = await openEvent(replica, [5]);
    const many = { items: [{ request: { eventId, items: items(types, 1) } }] };
    await expect(replica.payment.reserveMany(many)).rejects.toMatchObject({ reason: "PERMISSION_DENIED" });
  });
});

test("a batch whose commit was not heard of is found again, and holds nothing twice", async () => {
  const { eventId, types } = await openEvent(replica, [10]);
  const { database } = replica;
  let losses = 2;
  const losing = {
    async transaction<T>(work: Parameters<Database["transaction"]>[0]) {
      const result = await database.transaction(work);
      if (losses-- > 0) throw new BoxofficeError("DEPENDENCY_UNAVAILABLE", "the answer is lost");
      return result as T;
    },
  } as Database;
  const request = {
    eventId,
    items: [{ ticketTypeId: types[0] ?? "", quantity: 3 }],
    customer: null,
    requestId: null,
    contentHash: null,
  };
  const requests = [
    { ...request, reservationId: newId() },
    { ...request, reservationId: newId(), requestId: newId(), contentHash: "ab".repeat(32) },
  ];
  const made = await reserveBatch(requests, { database: losing, newId, holdMs: 60_000 });
  expect(made).toEqual(requests.map(({ reservationId }) => ({ kind: "known", reservationId })));
  const { ticketTypes, consistent } = await replica.operator.recount({ eventId });
  expect(consistent).toBe(true);
  expect(ticketTypes[0]?.booked).toMatchObject({ available: 4, held: 6 });
});
