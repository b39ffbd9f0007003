import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { availableOf, money, type Stage } from "./events.ts";
import { eventually, type Journey } from "./steps.ts";
import type { Availability, Event, Payment, Reservation } from "./types.ts";

type Paid = { payment: Payment; reservation: Reservation };

const HELD = "RESERVATION_STATE_HELD";
const PAID = "RESERVATION_STATE_PAID";
const CANCELLED = "RESERVATION_STATE_CANCELLED";

/** Places in the concert's list of ticket types. */
const STANDING = 0;
const BACKSTAGE = 1;
const LAST_SEATS = 2;

/** Buys, fails to buy, and gives back. What is sold at the end is what `statistics.ts` expects. */
export async function buyTickets(journey: Journey, stage: Stage): Promise<void> {
  const { concert } = stage;
  const bought = await reserveTickets(journey, concert);
  await reserveTooMuch(journey, concert);
  await failToPay(journey, bought);
  await pay(journey, bought);
  await pauseAndResume(journey, concert);
  await cancelEvent(journey, stage.reading);
  await journey.step("hold two tickets and keep them", () => reserve(journey, concert, [[STANDING, 2]]));
}

async function reserveTickets(journey: Journey, concert: Event): Promise<Reservation> {
  const { anyone, operator, step, holdSeconds } = journey;
  const request = {
    eventId: concert.eventId,
    items: itemsOf(concert, [
      [STANDING, 3],
      [BACKSTAGE, 2],
    ]),
    customer: { name: "Ada Lovelace", email: "ada@example.com" },
    requestId: randomUUID(),
  };
  const held = await step("reserve several types at once", async () => {
    const { reservation } = await anyone.ok<{ reservation: Reservation }>("reservation/Reserve", request);
    assert.equal(reservation.state, HELD);
    assert.deepEqual(reservation.total, money(3 * 2500 + 2 * 10_000));
    assert.deepEqual(
      reservation.items.map(({ quantity, unitPrice }) => [quantity, unitPrice]),
      [
        [3, money(2500)],
        [2, money(10_000)],
      ],
    );
    const left = Number.parseFloat(reservation.expiresIn ?? "0");
    assert.ok(left <= holdSeconds && left > holdSeconds - 5, `expiresIn ${left}, expected ${holdSeconds}`);
    assert.deepEqual(
      [await availableOf(journey, concert, STANDING), await availableOf(journey, concert, BACKSTAGE)],
      [97, 8],
    );
    return reservation;
  });
  const { reservationId } = held;
  await step("the same request id is the same reservation", async () => {
    const again = await anyone.ok<{ reservation: Reservation }>("reservation/Reserve", request);
    assert.equal(again.reservation.reservationId, reservationId);
    assert.equal(await availableOf(journey, concert, STANDING), 97);
    const other = { ...request, items: itemsOf(concert, [[STANDING, 1]]) };
    await anyone.refused("reservation/Reserve", other, { reason: "REQUEST_ID_REUSED" });
  });
  await step("reservation info; its customer is for operators only", async () => {
    const seen = await anyone.ok<{ reservation: Reservation }>("reservation/GetReservation", {
      reservationId,
    });
    assert.deepEqual(withoutTime(seen.reservation), withoutTime(held));
    const { eventId } = concert;
    const listed = await operator.ok<{ reservations: Reservation[] }>("reservation/ListReservations", {
      eventId,
    });
    assert.equal(listed.reservations[0]?.reservationId, reservationId);
    assert.equal(listed.reservations[0]?.customer?.email, "ada@example.com");
    assert.equal(seen.reservation.customer ?? null, null);
  });
  return held;
}

async function reserveTooMuch(journey: Journey, concert: Event): Promise<void> {
  const { anyone, step } = journey;
  const { eventId, ticketTypes } = concert;
  const lastSeats = ticketTypes[LAST_SEATS]?.ticketTypeId ?? "";
  const last = await step("reserve the last tickets of a type", () =>
    reserve(journey, concert, [[LAST_SEATS, 2]]),
  );
  await step("sold out, all or nothing", async () => {
    const { ticketTypes: types } = await anyone.ok<Availability>("reservation/GetAvailability", { eventId });
    assert.deepEqual(
      [types[LAST_SEATS]?.available, types[LAST_SEATS]?.status],
      [0, "AVAILABILITY_STATUS_SOLD_OUT"],
    );
    const items = itemsOf(concert, [
      [STANDING, 1],
      [LAST_SEATS, 1],
    ]);
    await anyone.refused(
      "reservation/Reserve",
      { eventId, items },
      {
        reason: "SOLD_OUT",
        code: "failed_precondition",
        metadata: { ticket_type_id: lastSeats, available: "0" },
      },
    );
    assert.equal(await availableOf(journey, concert, STANDING), 97, "available of the other type");
  });
  await step("more than one reservation may hold", async () => {
    const items = itemsOf(concert, [[BACKSTAGE, 5]]);
    await anyone.refused(
      "reservation/Reserve",
      { eventId, items },
      {
        reason: "LIMIT_EXCEEDED",
        metadata: { max_per_reservation: "4" },
      },
    );
  });
  await step("cancel a hold, and its tickets are back", async () => {
    const { reservationId } = last;
    for (const _ of ["once", "twice"]) {
      const { reservation } = await anyone.ok<{ reservation: Reservation }>("reservation/CancelReservation", {
        reservationId,
      });
      assert.equal(reservation.state, CANCELLED);
    }
    assert.equal(await availableOf(journey, concert, LAST_SEATS), 2);
    await anyone.refused(
      "payment/PayReservation",
      { reservationId, token: "visa" },
      { reason: "RESERVATION_CANCELLED" },
    );
  });
}

async function failToPay({ anyone, step }: Journey, held: Reservation): Promise<void> {
  const { reservationId } = held;
  const failures = [
    { token: "card_error", reason: "CARD_DECLINED", message: "Your card has been declined" },
    {
      token: "payment_error",
      reason: "PAYMENT_FAILED",
      message: "Something went wrong with your transaction",
    },
    {
      token: "visa",
      currencyCode: "USD",
      reason: "CURRENCY_NOT_SUPPORTED",
      message: "Currency USD not supported",
    },
  ];
  for (const { reason, message, ...order } of failures) {
    await step(`${reason}, and the hold is kept`, async () => {
      const request = { reservationId, ...order };
      const metadata = await anyone.refused("payment/PayReservation", request, { reason, message });
      if (metadata.payment_id !== undefined) {
        const { payment_id: paymentId } = metadata;
        const { payment } = await anyone.ok<{ payment: Payment }>("payment/GetPayment", { paymentId });
        assert.deepEqual([payment.state, payment.failureReason], ["PAYMENT_STATE_FAILED", reason]);
      }
      const { reservation } = await anyone.ok<{ reservation: Reservation }>("reservation/GetReservation", {
        reservationId,
      });
      assert.equal(reservation.state, HELD);
      assert.equal(reservation.expireTime, held.expireTime, "expireTime never moves");
    });
  }
}

async function pay(
  { anyone, operator, step }: Journey,
  { reservationId, total }: Reservation,
): Promise<void> {
  const request = { reservationId, token: "visa", requestId: randomUUID() };
  const paid = await step("pay", async () => {
    const answer = await anyone.ok<Paid>("payment/PayReservation", request);
    assert.equal(answer.payment.state, "PAYMENT_STATE_SUCCEEDED");
    assert.deepEqual(answer.payment.amount, total);
    assert.equal(answer.reservation.state, PAID);
    return answer.payment;
  });
  await step("pay again", async () => {
    const again = await anyone.ok<Paid>("payment/PayReservation", request);
    assert.equal(again.payment.paymentId, paid.paymentId, "the same request id is the same payment");
    const another = { reservationId, token: "visa", currencyCode: "EUR" };
    await anyone.refused("payment/PayReservation", another, {
      reason: "RESERVATION_ALREADY_PAID",
      code: "already_exists",
      metadata: { payment_id: paid.paymentId },
    });
    await anyone.refused(
      "reservation/CancelReservation",
      { reservationId },
      { reason: "RESERVATION_ALREADY_PAID" },
    );
  });
  await step("the operator sees the payment and those that failed", async () => {
    const { payments } = await operator.ok<{ payments: Payment[] }>("payment/ListPayments", {
      reservationId,
    });
    assert.equal(payments[0]?.paymentId, paid.paymentId, "newest first");
    assert.deepEqual(
      payments.slice(1).map(({ state }) => state),
      payments.slice(1).map(() => "PAYMENT_STATE_FAILED"),
    );
  });
}

async function pauseAndResume(journey: Journey, concert: Event): Promise<void> {
  const { anyone, operator, step } = journey;
  const { eventId } = concert;
  const statusOf = async (place: number) =>
    (await anyone.ok<Availability>("reservation/GetAvailability", { eventId })).ticketTypes[place]?.status;
  const held = await reserve(journey, concert, [[STANDING, 1]]);
  await step("pause: nothing can be reserved, a hold can be paid", async () => {
    await operator.ok("reservation/PauseSales", { eventId });
    assert.equal(await statusOf(STANDING), "AVAILABILITY_STATUS_PAUSED");
    const items = itemsOf(concert, [[STANDING, 1]]);
    await anyone.refused("reservation/Reserve", { eventId, items }, { reason: "SALES_PAUSED" });
    const { reservationId } = held;
    const { reservation } = await anyone.ok<Paid>("payment/PayReservation", { reservationId, token: "visa" });
    assert.equal(reservation.state, PAID);
  });
  await step("resume", async () => {
    await operator.ok("reservation/ResumeSales", { eventId });
    assert.equal(await statusOf(STANDING), "AVAILABILITY_STATUS_ON_SALE");
  });
}

async function cancelEvent(journey: Journey, reading: Event): Promise<void> {
  const { anyone, operator, step } = journey;
  const { eventId } = reading;
  await step("cancel an event: holds are released, what is paid stays", async () => {
    const [paid, held] = [
      await reserve(journey, reading, [[0, 1]]),
      await reserve(journey, reading, [[0, 2]]),
    ];
    await anyone.ok<Paid>("payment/PayReservation", { reservationId: paid.reservationId, token: "visa" });
    const { event } = await operator.ok<{ event: Event }>("catalog/CancelEvent", { eventId });
    assert.equal(event.state, "EVENT_STATE_CANCELLED");
    await eventually(async () => assert.equal(await stateOf(journey, held), CANCELLED));
    assert.equal(await stateOf(journey, paid), PAID);
    const items = itemsOf(reading, [[0, 1]]);
    await anyone.refused("reservation/Reserve", { eventId, items }, { reason: "EVENT_CANCELLED" });
    const { ticketTypes } = await anyone.ok<Availability>("reservation/GetAvailability", { eventId });
    assert.equal(ticketTypes[0]?.status, "AVAILABILITY_STATUS_CANCELLED");
    assert.equal(
      (await anyone.ok<{ event: Event }>("catalog/GetEvent", { eventId })).event.state,
      event.state,
    );
  });
}

async function reserve({ anyone }: Journey, event: Event, quantities: [place: number, quantity: number][]) {
  const { reservation } = await anyone.ok<{ reservation: Reservation }>("reservation/Reserve", {
    eventId: event.eventId,
    items: itemsOf(event, quantities),
  });
  assert.equal(reservation.state, HELD);
  return reservation;
}

async function stateOf({ anyone }: Journey, { reservationId }: Reservation): Promise<string> {
  const { reservation } = await anyone.ok<{ reservation: Reservation }>("reservation/GetReservation", {
    reservationId,
  });
  return reservation.state;
}

function itemsOf({ ticketTypes }: Event, quantities: [place: number, quantity: number][]) {
  return quantities.map(([place, quantity]) => ({
    ticketTypeId: ticketTypes[place]?.ticketTypeId,
    quantity,
  }));
}

/** Time goes on while one looks. */
function withoutTime({ expiresIn: _, ...reservation }: Reservation) {
  return reservation;
}
