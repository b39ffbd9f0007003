import { setTimeout as delay } from "node:timers/promises";
import {
  AvailabilityStatus,
  ReservationState,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSale, items, newId, openEvent, type Replica } from "./harness.ts";

const { HELD, PAYING, PAID, EXPIRED, CANCELLED } = ReservationState;

let sale: Awaited<ReturnType<typeof createSale>>;
/** Holds last a quarter of an hour. */
let replica: Replica;
/** Holds end after 300 ms, may be paid to the last moment, and nobody sweeps. */
let hasty: Replica;

const HASTY_MS = 300;

beforeAll(async () => {
  sale = await createSale();
  replica = await sale.start();
  hasty = await sale.start({ holdMs: HASTY_MS, payMarginMs: 0 });
});

afterAll(() => sale.end());

async function hold(on: Replica, quantity = 1, stock = 10) {
  const { eventId, types } = await openEvent(on, [stock]);
  const { reservation } = await on.buyer.reserve({ eventId, items: items(types, quantity) });
  return { eventId, types, reservationId: reservation?.reservationId ?? "", paymentId: newId() };
}

const stateOf = async (reservationId: string) =>
  (await replica.buyer.getReservation({ reservationId })).reservation?.state;

const stock = async (eventId: string) => {
  const { ticketTypes, consistent } = await replica.operator.recount({ eventId });
  expect(consistent).toBe(true);
  const { booked } = ticketTypes[0] ?? {};
  return [booked?.available, booked?.held, booked?.paid];
};

const available = async (eventId: string) =>
  (await replica.buyer.getAvailability({ eventId })).ticketTypes.map((type) => type.available);

describe("paying", () => {
  test("moves a hold to PAYING and then to PAID; each step may be repeated", async () => {
    const { eventId, ...ids } = await hold(replica, 3);
    for (let repeat = 0; repeat < 2; repeat++) {
      const begun = await replica.payment.beginPayment(ids);
      expect(begun).toMatchObject({ eventId, amount: { currencyCode: "EUR", minorUnits: 30_00n } });
      expect(begun.reservation).toMatchObject({ state: PAYING, paymentId: ids.paymentId });
    }
    expect(await stock(eventId)).toEqual([7, 3, 0]);
    for (let repeat = 0; repeat < 2; repeat++) {
      expect((await replica.payment.confirmPayment(ids)).reservation?.state).toBe(PAID);
    }
    expect((await replica.payment.beginPayment(ids)).reservation?.state).toBe(PAID);
    expect(await stock(eventId)).toEqual([7, 0, 3]);
    const stranger = { reservationId: ids.reservationId, paymentId: newId() };
    await expect(replica.payment.beginPayment(stranger)).rejects.toMatchObject({
      reason: "RESERVATION_ALREADY_PAID",
      metadata: { payment_id: ids.paymentId },
    });
    await expect(replica.payment.abortPayment(ids)).rejects.toMatchObject({
      reason: "RESERVATION_ALREADY_PAID",
    });
    await expect(replica.buyer.cancelReservation(ids)).rejects.toMatchObject({
      reason: "RESERVATION_ALREADY_PAID",
    });
    expect(await stock(eventId)).toEqual([7, 0, 3]);
  });

  test("that fails gives the hold back with its time, and can never begin again", async () => {
    const { eventId, ...ids } = await hold(replica);
    const before = (await replica.buyer.getReservation(ids)).reservation;
    await replica.payment.beginPayment(ids);
    const { reservation } = await replica.payment.abortPayment(ids);
    expect(reservation).toMatchObject({ state: HELD, paymentId: "", expireTime: before?.expireTime });
    await replica.payment.abortPayment(ids);
    await expect(replica.payment.beginPayment(ids)).rejects.toMatchObject({ reason: "PAYMENT_FAILED" });
    await expect(replica.payment.confirmPayment(ids)).rejects.toMatchObject({ reason: "PAYMENT_FAILED" });
    const second = { ...ids, paymentId: newId() };
    await replica.payment.beginPayment(second);
    await replica.payment.abortPayment(ids);
    expect(await stateOf(ids.reservationId)).toBe(PAYING);
    await replica.payment.confirmPayment(second);
    expect(await stock(eventId)).toEqual([9, 0, 1]);
  });

  test("whose abort arrives before its begin never begins", async () => {
    const ids = await hold(replica);
    expect((await replica.payment.abortPayment(ids)).reservation?.state).toBe(HELD);
    await expect(replica.payment.beginPayment(ids)).rejects.toMatchObject({ reason: "PAYMENT_FAILED" });
  });

  test("by fifty at once is begun by one", async () => {
    const { reservationId } = await hold(replica);
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, () => replica.payment.beginPayment({ reservationId, paymentId: newId() })),
    );
    const refusals = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason.reason] : [],
    );
    expect(refusals.length).toBe(49);
    expect(new Set(refusals)).toEqual(new Set(["PAYMENT_IN_PROGRESS"]));
  });

  test("cannot begin in the last seconds, and says so", async () => {
    const short = await sale.start({ holdMs: 3_000 });
    const ids = await hold(short);
    await expect(short.payment.beginPayment(ids)).rejects.toMatchObject({ reason: "RESERVATION_EXPIRING" });
    expect(await stateOf(ids.reservationId)).toBe(HELD);
  });

  test("is refused where nothing is to be paid", async () => {
    const unknown = { reservationId: newId(), paymentId: newId() };
    await expect(replica.payment.beginPayment(unknown)).rejects.toMatchObject({
      reason: "RESERVATION_NOT_FOUND",
    });
    const ids = await hold(replica);
    await replica.buyer.cancelReservation(ids);
    await expect(replica.payment.beginPayment(ids)).rejects.toMatchObject({
      reason: "RESERVATION_CANCELLED",
    });
    await expect(replica.payment.confirmPayment(ids)).rejects.toMatchObject({
      reason: "RESERVATION_CANCELLED",
    });
  });

  test("never ends by the hold's time", async () => {
    const { eventId, ...ids } = await hold(hasty);
    await hasty.payment.beginPayment(ids);
    await delay(HASTY_MS + 50);
    expect(await stateOf(ids.reservationId)).toBe(PAYING);
    expect(await available(eventId)).toEqual([9]);
    expect((await replica.payment.confirmPayment(ids)).reservation?.state).toBe(PAID);
  });

  test("that fails after the hold's time ends it, and its tickets are back", async () => {
    const { eventId, ...ids } = await hold(hasty);
    await hasty.payment.beginPayment(ids);
    await delay(HASTY_MS + 50);
    expect((await replica.payment.abortPayment(ids)).reservation?.state).toBe(EXPIRED);
    expect(await stock(eventId)).toEqual([10, 0, 0]);
  });
});

describe("a refund", () => {
  test.each([
    [false, [10, 0, 0], 10],
    [true, [7, 0, 0], 7],
  ])("releases what was paid (kept off sale: %s)", async (keepOffSale, left, quantity) => {
    const { eventId, ...ids } = await hold(replica, 3);
    await expect(replica.payment.releasePaid({ ...ids, keepOffSale })).rejects.toMatchObject({
      reason: "PAYMENT_FAILED",
    });
    await replica.payment.beginPayment(ids);
    await replica.payment.confirmPayment(ids);
    for (let repeat = 0; repeat < 2; repeat++) {
      const { reservation } = await replica.payment.releasePaid({ ...ids, keepOffSale });
      expect(reservation).toMatchObject({ state: CANCELLED, paymentId: ids.paymentId });
    }
    expect(await stock(eventId)).toEqual(left);
    expect((await replica.buyer.getAvailability({ eventId })).ticketTypes[0]?.quantity).toBe(quantity);
  });
});

describe("a hold that ended", () => {
  test("reads so at once, cannot be paid or cancelled, and counts as available, though nobody swept", async () => {
    const { eventId, ...ids } = await hold(hasty, 4);
    expect(await available(eventId)).toEqual([6]);
    await delay(HASTY_MS + 20);
    expect(await stateOf(ids.reservationId)).toBe(EXPIRED);
    expect(await available(eventId)).toEqual([10]);
    expect((await replica.operator.recount({ eventId })).ticketTypes[0]?.booked?.held).toBe(4);
    await expect(hasty.payment.beginPayment(ids)).rejects.toMatchObject({ reason: "RESERVATION_EXPIRED" });
    await expect(replica.buyer.cancelReservation(ids)).rejects.toMatchObject({
      reason: "RESERVATION_EXPIRED",
    });
    const states = [EXPIRED];
    const { reservations } = await replica.operator.listReservations({ eventId, states });
    expect(reservations).toMatchObject([{ reservationId: ids.reservationId, state: EXPIRED }]);
  });

  test("is sold again though nobody swept", async () => {
    const { eventId, types } = await hold(hasty, 10);
    await expect(hasty.buyer.reserve({ eventId, items: items(types, 1) })).rejects.toMatchObject({
      reason: "SOLD_OUT",
    });
    await delay(HASTY_MS + 20);
    const { reservation } = await replica.buyer.reserve({ eventId, items: items(types, 10) });
    expect(reservation?.state).toBe(HELD);
    expect(await stock(eventId)).toEqual([0, 10, 0]);
  });

  test("is sold again though thousands of others wait to be swept before it", async () => {
    const crowd = await openEvent(hasty, [2_000]);
    await Promise.all(
      Array.from({ length: 1_500 }, () =>
        hasty.buyer.reserve({ eventId: crowd.eventId, items: items(crowd.types, 1) }),
      ),
    );
    const { eventId, types } = await hold(hasty, 10);
    await delay(HASTY_MS + 20);
    await replica.buyer.reserve({ eventId, items: items(types, 10) });
    expect(await stock(eventId)).toEqual([0, 10, 0]);
  });

  test("is swept by several replicas at once, each hold once", async () => {
    const { eventId, types } = await openEvent(hasty, [300]);
    await Promise.all(
      Array.from({ length: 300 }, () => hasty.buyer.reserve({ eventId, items: items(types, 1) })),
    );
    const sweepers = await Promise.all([
      sale.start({ withSweeper: true }),
      sale.start({ withSweeper: true }),
    ]);
    await expect.poll(() => stock(eventId), { timeout: 5_000 }).toEqual([300, 0, 0]);
    for (const sweeper of sweepers) await sweeper.close();
  });
});

describe("a race at the end of a hold has one winner", () => {
  test("begin, cancel and sweep, around the end", async () => {
    const sweeper = await sale.start({ withSweeper: true });
    const { eventId, types } = await openEvent(hasty, [1_000]);
    const outcomes = await Promise.all(
      Array.from({ length: 150 }, async (_, index) => {
        const { reservation } = await hasty.buyer.reserve({ eventId, items: items(types, 1) });
        const ids = { reservationId: reservation?.reservationId ?? "", paymentId: newId() };
        await delay(HASTY_MS - 50 + (index % 100));
        const [begun, cancelled] = await Promise.allSettled([
          hasty.payment.beginPayment(ids),
          hasty.buyer.cancelReservation(ids),
        ]);
        const state = await stateOf(ids.reservationId);
        return { begun: begun.status === "fulfilled", cancelled: cancelled.status === "fulfilled", state };
      }),
    );
    for (const { begun, cancelled, state } of outcomes) {
      expect(begun && cancelled).toBe(false);
      const unpaid = cancelled ? CANCELLED : EXPIRED;
      expect(state).toBe(begun ? PAYING : unpaid);
    }
    const paying = outcomes.filter(({ begun }) => begun).length;
    await expect.poll(() => stock(eventId), { timeout: 5_000 }).toEqual([1_000 - paying, paying, 0]);
    await sweeper.close();
  });
});

describe("what catalog says", () => {
  test("is obeyed once, in the order of its versions", async () => {
    const { eventId, types } = await openEvent(replica, [10]);
    const ticketType = {
      ticketTypeId: types[0] ?? "",
      position: 0,
      name: "Type 0",
      category: "regular",
      price: { currencyCode: "EUR", minorUnits: 12_00n },
      quantity: 20,
      maxPerReservation: 1_000,
    };
    await replica.catalog.changeTicketType({ eventId, version: 3n, ticketType });
    await replica.catalog.changeTicketType({
      eventId,
      version: 2n,
      ticketType: { ...ticketType, quantity: 5 },
    });
    await replica.catalog.openSales({ eventId, version: 1n, startsAt: timestampFromMs(Date.now()) });
    expect(await available(eventId)).toEqual([20]);
    await replica.buyer.reserve({ eventId, items: items(types, 7) });
    const below = { ...ticketType, quantity: 6 };
    await expect(
      replica.catalog.changeTicketType({ eventId, version: 4n, ticketType: below }),
    ).rejects.toMatchObject({ reason: "QUANTITY_BELOW_RESERVED", metadata: { reserved: "7" } });
    expect(await available(eventId)).toEqual([13]);
    await replica.catalog.changeTicketType({
      eventId,
      version: 4n,
      ticketType: { ...ticketType, quantity: 7 },
    });
    expect(await available(eventId)).toEqual([0]);
    const added = { ...ticketType, ticketTypeId: newId(), position: 1, quantity: 3 };
    await replica.catalog.changeTicketType({ eventId, version: 5n, ticketType: added });
    expect(await available(eventId)).toEqual([0, 3]);
  });

  test("a cancelled event sells nothing, lets payments under way finish, and releases its holds", async () => {
    const { eventId, types } = await openEvent(replica, [10]);
    const reserve = async () =>
      (await replica.buyer.reserve({ eventId, items: items(types, 1) })).reservation?.reservationId ?? "";
    const [held, paying, failing] = [await reserve(), await reserve(), await reserve()];
    const payment = { reservationId: paying, paymentId: newId() };
    const failed = { reservationId: failing, paymentId: newId() };
    await replica.payment.beginPayment(payment);
    await replica.payment.beginPayment(failed);
    await replica.catalog.closeSales({ eventId, version: 2n });
    await expect(reserve()).rejects.toMatchObject({ reason: "EVENT_CANCELLED" });
    await expect(
      replica.payment.beginPayment({ reservationId: held, paymentId: newId() }),
    ).rejects.toMatchObject({ reason: "EVENT_CANCELLED" });
    const sweeper = await sale.start({ withSweeper: true });
    await expect.poll(() => stateOf(held), { timeout: 5_000 }).toBe(CANCELLED);
    expect(await stateOf(paying)).toBe(PAYING);
    await replica.payment.confirmPayment(payment);
    expect((await replica.payment.abortPayment(failed)).reservation?.state).toBe(CANCELLED);
    expect(await stock(eventId)).toEqual([9, 0, 1]);
    const { ticketTypes } = await replica.buyer.getAvailability({ eventId });
    expect(ticketTypes[0]?.status).toBe(AvailabilityStatus.CANCELLED);
    await sweeper.close();
  });

  test("a pause during a crowd: whoever is told yes was before it", async () => {
    const { eventId, types } = await openEvent(replica, [5_000]);
    const crowd = Promise.allSettled(
      Array.from({ length: 300 }, async (_, index) => {
        await delay(index / 10);
        return replica.buyer.reserve({ eventId, items: items(types, 1) });
      }),
    );
    await delay(15);
    await replica.operator.pauseSales({ eventId });
    const [left] = await available(eventId);
    const results = await crowd;
    const sold = results.filter(({ status }) => status === "fulfilled").length;
    expect(await available(eventId)).toEqual([left]);
    expect(5_000 - sold).toBe(left);
  });
});
