import { setTimeout as delay } from "node:timers/promises";
import { PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Payment } from "../domain/payment.ts";
import { recordOutcome, startCharging } from "../domain/transitions.ts";
import { insertAttempts } from "../store/attempts.ts";
import { claimDue, postpone } from "../store/claim.ts";
import { changePayment } from "../store/ledger.ts";
import { getPayment } from "../store/read.ts";
import { type BoxOffice, newId, openBoxOffice, type Replica, refusalOf } from "./harness.ts";
import { refusal } from "./sales.ts";

let office: BoxOffice;
let replica: Replica;

beforeAll(async () => {
  office = await openBoxOffice();
  replica = await office.start();
});

afterAll(() => office.end());

beforeEach(async () => {
  office.sales.heal();
  office.sales.done.length = 0;
  office.bank.ledger.length = 0;
  office.bank.asked.length = 0;
  delete office.bank.lookup;
  await office.owner.query({ text: "delete from payment.payments" });
});

/** An attempt as a crash leaves it after P1: nobody holds its lease any more. */
async function leaveCreated(reservationId: string): Promise<Payment> {
  const [payment] = await insertAttempts(office.owner, [
    {
      paymentId: newId(),
      reservationId,
      attempt: 1,
      requestId: null,
      fingerprint: { content: "00", token: "00" },
      leaseId: newId(),
      leaseMs: -1,
    },
  ]);
  if (payment === undefined) throw new Error("it was not inserted");
  return payment;
}

/** After BeginPayment. */
async function leaveBegun(reservationId: string): Promise<Payment> {
  const payment = await leaveCreated(reservationId);
  Object.assign(office.sales.get(reservationId), { state: "PAYING", paymentId: payment.paymentId });
  return payment;
}

const billOf = (reservationId: string) => {
  const { eventId, total } = office.sales.get(reservationId);
  return { eventId, amountMinor: total.minorUnits, currencyCode: total.currencyCode };
};

async function change(payment: Payment, step: (before: Payment) => Payment): Promise<Payment> {
  const lease = { id: payment.leaseId, ms: -1 };
  const changed = await changePayment(replica.ledger, payment.paymentId, lease, step);
  if (changed === undefined) throw new Error("it is gone");
  return changed;
}

/** After P2, with the money moved or not. */
async function leaveCharging(reservationId: string, { isCharged = false } = {}): Promise<Payment> {
  const payment = await leaveBegun(reservationId);
  const bill = billOf(reservationId);
  if (isCharged) {
    office.bank.ledger.push({ key: payment.paymentId, amount: bill.amountMinor, currency: "EUR" });
  }
  return change(payment, (before) => startCharging(before, before.leaseId, bill));
}

/** After P3. */
async function leaveCharged(reservationId: string): Promise<Payment> {
  const payment = await leaveCharging(reservationId, { isCharged: true });
  return change(payment, (before) => recordOutcome(before, { kind: "charged" }));
}

const now = async ({ paymentId }: Payment) => {
  const payment = await getPayment(office.owner, paymentId);
  return payment && [payment.state, payment.isAbortPending];
};

/** Looks again and again, as the loop would. */
async function completeUntil(payment: Payment, state: unknown) {
  const look = () => replica.complete().then(() => now(payment));
  await expect.poll(look, { timeout: 8_000, interval: 100 }).toEqual(state);
}

describe("what a crash left", () => {
  test("after P1: FAILED, and it can never begin", async () => {
    const reservationId = office.sales.hold();
    const payment = await leaveCreated(reservationId);
    expect(await replica.complete()).toBe(1);
    expect(await now(payment)).toEqual(["FAILED", false]);
    expect(office.sales.done).toEqual(["abort"]);
    expect(office.sales.get(reservationId).state).toBe("HELD");
  });

  test("after P1, for a reservation that is not there: nothing is left", async () => {
    const payment = await leaveCreated(newId());
    await replica.complete();
    expect(await now(payment)).toBeUndefined();
  });

  test("after Begin: FAILED first, and then the hold is given back", async () => {
    const reservationId = office.sales.hold();
    const payment = await leaveBegun(reservationId);
    office.sales.fail("abort", "away");
    await replica.complete();
    expect(await now(payment)).toEqual(["FAILED", true]);
    expect(office.sales.get(reservationId).state).toBe("PAYING");
    await completeUntil(payment, ["FAILED", false]);
    expect(office.sales.get(reservationId).state).toBe("HELD");
    const { payment: paid } = await replica.buyer.payReservation({ reservationId, token: "tok" });
    expect(paid?.state).toBe(PaymentState.SUCCEEDED);
  });

  test("during the charge: UNKNOWN, the seat is kept, and nobody is charged again", async () => {
    const reservationId = office.sales.hold();
    const payment = await leaveCharging(reservationId);
    await replica.complete();
    expect(await now(payment)).toEqual(["UNKNOWN", false]);
    expect(office.sales.get(reservationId).state).toBe("PAYING");
    expect(await replica.complete()).toBe(0);
    expect(office.bank.asked).toEqual([]);
    expect(await office.announced(payment.paymentId)).toMatchObject([{ state: PaymentState.UNKNOWN }]);
  });

  test("during the charge, and the provider can tell: charged", async () => {
    office.bank.allowLookup();
    const reservationId = office.sales.hold();
    const payment = await leaveCharging(reservationId, { isCharged: true });
    await replica.complete();
    expect(await now(payment)).toEqual(["CONFIRMED", false]);
    expect(office.sales.get(reservationId).state).toBe("PAID");
    expect(office.bank.asked).toEqual([]);
  });

  test("during the charge, and the provider can tell: failed", async () => {
    office.bank.lookup = async () => "failed";
    const reservationId = office.sales.hold();
    const payment = await leaveCharging(reservationId);
    await replica.complete();
    expect(await now(payment)).toEqual(["FAILED", false]);
    expect(office.sales.get(reservationId).state).toBe("HELD");
  });

  test("during the charge, and the provider has not heard of it: UNKNOWN until it has", async () => {
    office.bank.allowLookup();
    const reservationId = office.sales.hold();
    const payment = await leaveCharging(reservationId);
    await replica.complete();
    expect(await now(payment)).toEqual(["UNKNOWN", false]);
    office.bank.ledger.push({ key: payment.paymentId, amount: 25_00n, currency: "EUR" });
    await completeUntil(payment, ["CONFIRMED", false]);
  });

  test("a look-up that fails leaves it UNKNOWN, and says nothing of the provider's words", async () => {
    office.bank.lookup = () => Promise.reject(new Error("secret words"));
    const payment = await leaveCharging(office.sales.hold());
    await replica.complete();
    expect(await now(payment)).toEqual(["UNKNOWN", false]);
    expect(office.logged.join("\n")).not.toContain("secret words");
  });

  test("after P3: confirmed, however often that takes", async () => {
    const reservationId = office.sales.hold();
    const payment = await leaveCharged(reservationId);
    office.sales.fail("confirm", "away", "lost", "away");
    await replica.complete();
    expect(await now(payment)).toEqual(["CHARGED", false]);
    await completeUntil(payment, ["CONFIRMED", false]);
    expect(office.sales.get(reservationId).state).toBe("PAID");
    expect(office.sales.done).toEqual(["confirm", "confirm"]);
  });

  test("after P3, and the reservation refuses for good: the money is owed, until it is back", async () => {
    const payment = await leaveCharged(office.sales.hold());
    office.sales.fail("confirm", refusal("RESERVATION_EXPIRED"));
    office.bank.refundFaults.push("away", "lost");
    await replica.complete();
    expect(await now(payment)).toEqual(["REFUND_DUE", false]);
    await completeUntil(payment, ["REFUNDED", false]);
    expect(office.bank.refunds).toEqual([payment.paymentId]);
    expect(office.sales.done).toEqual([]);
    expect(await office.announced(payment.paymentId)).toMatchObject([
      { state: PaymentState.PROCESSING },
      { state: PaymentState.REFUNDING },
      { state: PaymentState.REFUNDED },
    ]);
  });

  test("after a decline, before the abort: aborted", async () => {
    const reservationId = office.sales.hold();
    const charging = await leaveCharging(reservationId);
    const payment = await change(charging, (before) =>
      recordOutcome(before, { kind: "failed", reason: "CARD_DECLINED" }),
    );
    await replica.complete();
    expect(await now(payment)).toEqual(["FAILED", false]);
    expect(office.sales.get(reservationId).state).toBe("HELD");
  });
});

describe("leases", () => {
  test("what somebody is working on is left alone", async () => {
    const payment = await leaveBegun(office.sales.hold());
    await postpone(office.owner, payment.paymentId, { id: payment.leaseId, ms: 60_000 });
    expect(await replica.complete()).toBe(0);
    expect(await now(payment)).toEqual(["CREATED", false]);
  });

  test("two replicas never take the same payment", async () => {
    const other = await office.start();
    const payments: Payment[] = [];
    const leaveSix = () => Promise.all(Array.from({ length: 6 }, () => leaveCharged(office.sales.hold())));
    for (let n = 0; n < 10; n++) payments.push(...(await leaveSix()));
    for (let n = 0; n < 2; n++) await Promise.all([replica.complete(), other.complete()]);
    for (const payment of payments) expect(await now(payment)).toEqual(["CONFIRMED", false]);
    expect(office.sales.done).toHaveLength(60);
  });

  test("who lost the lease cannot put the next one's off", async () => {
    const payment = await leaveCharged(office.sales.hold());
    const next = newId();
    await claimDue(office.owner, { lease: { id: next, ms: -1 }, states: ["CHARGED"], limit: 10 });
    await postpone(office.owner, payment.paymentId, { id: payment.leaseId, ms: 60_000 });
    expect(await replica.complete()).toBe(1);
  });

  test.each([
    ["and its hold back: the reservation refuses", [], "PAYMENT_FAILED"],
    ["and has begun: P2 finds it gone", ["away" as const], "DEPENDENCY_UNAVAILABLE"],
  ])("who lost the lease before the charge %s, and nothing is charged", async (_, abortFaults, reason) => {
    const reservationId = office.sales.hold();
    const held = Promise.withResolvers<void>();
    office.sales.fail("begin", held.promise);
    office.sales.fail("abort", ...abortFaults);
    const call = replica.buyer.payReservation({ reservationId, token: "tok" });
    call.catch(() => {});
    const payment = await endLease(reservationId);
    expect(await (await office.start()).complete()).toBe(1);
    expect(await now(payment)).toEqual(["FAILED", abortFaults.length > 0]);
    held.resolve();
    expect((await refusalOf(call)).reason).toBe(reason);
    expect(await now(payment)).toEqual(["FAILED", false]);
    expect([office.bank.asked, office.sales.get(reservationId).state]).toEqual([[], "HELD"]);
  });

  test("a success that comes after the completer gave the charge up is recorded once", async () => {
    const reservationId = office.sales.hold();
    const call = replica.buyer.payReservation({ reservationId, token: "wait" });
    await expect.poll(() => office.bank.asked).toHaveLength(1);
    const payment = await endLease(reservationId);
    const other = await office.start();
    expect(await other.complete()).toBe(1);
    expect(await now(payment)).toEqual(["UNKNOWN", false]);
    office.bank.release();
    expect((await call).payment?.state).toBe(PaymentState.SUCCEEDED);
    await expectRecordedOnce(payment, ["UNKNOWN", "PROCESSING", "SUCCEEDED"]);
  });

  test("a success that comes after the completer has looked it up is recorded once", async () => {
    const reservationId = office.sales.hold();
    const call = replica.buyer.payReservation({ reservationId, token: "wait" });
    await expect.poll(() => office.bank.asked).toHaveLength(1);
    const payment = await endLease(reservationId);
    office.bank.lookup = async () => "charged";
    const other = await office.start();
    await other.complete();
    expect(await now(payment)).toEqual(["CONFIRMED", false]);
    office.bank.release();
    expect((await call).payment?.state).toBe(PaymentState.SUCCEEDED);
    await expectRecordedOnce(payment, ["UNKNOWN", "PROCESSING", "SUCCEEDED"]);
  });

  test("a success that comes after FAILED is money to be given back, also beside a new attempt", async () => {
    const reservationId = office.sales.hold();
    const call = replica.buyer.payReservation({ reservationId, token: "wait" });
    await expect.poll(() => office.bank.asked).toHaveLength(1);
    const payment = await endLease(reservationId);
    office.bank.lookup = async () => "failed"; // which was not so
    await (await office.start()).complete();
    expect(await now(payment)).toEqual(["FAILED", false]);
    const { payment: second } = await replica.buyer.payReservation({ reservationId, token: "tok" });
    expect(second?.state).toBe(PaymentState.SUCCEEDED);
    office.bank.release();
    expect((await call).payment?.state).toBe(PaymentState.REFUNDING);
    expect(await now(payment)).toEqual(["REFUND_DUE", false]);
    expect((await refusalOf(replica.buyer.payReservation({ reservationId, token: "tok" }))).metadata).toEqual(
      {
        payment_id: second?.paymentId,
      },
    );
  });
});

test("the rest between two tries grows", async () => {
  const payment = await leaveCharged(office.sales.hold());
  office.sales.fail("confirm", ...Array<"away">(4).fill("away"));
  const restsMs: number[] = [];
  for (let n = 0; n < 3; n++) {
    await replica.complete();
    const [row] = await office.owner.query<{ ms: number }>({
      text: "select extract(epoch from lease_until - payment.clock())::float * 1000 as ms from payment.payments",
    });
    restsMs.push(row?.ms ?? 0);
    await endLeaseOf(payment.paymentId);
  }
  for (const [n, ms] of restsMs.entries()) {
    expect(ms).toBeGreaterThan(500 * 2 ** n - 250);
    expect(ms).toBeLessThanOrEqual(500 * 2 ** n);
  }
});

/** As if the process that works on it had been stopped for longer than its lease. */
async function endLease(reservationId: string): Promise<Payment> {
  const look = () =>
    office.owner.query<{ payment_id: string }>({
      text: "select payment_id from payment.payments where reservation_id = $1",
      values: [reservationId],
    });
  await expect.poll(look).toHaveLength(1);
  const [row] = await look();
  await endLeaseOf(row?.payment_id ?? "");
  const payment = await getPayment(office.owner, row?.payment_id ?? "");
  if (payment === undefined) throw new Error("it is gone");
  return payment;
}

async function endLeaseOf(paymentId: string): Promise<void> {
  await office.owner.query({
    text: "update payment.payments set lease_until = payment.clock() - interval '1 second' where payment_id = $1",
    values: [paymentId],
  });
}

async function expectRecordedOnce(payment: Payment, states: (keyof typeof PaymentState)[]): Promise<void> {
  await delay(50);
  expect(await now(payment)).toEqual(["CONFIRMED", false]);
  expect(office.bank.asked).toHaveLength(1);
  const changes = await office.announced(payment.paymentId);
  expect(changes.map(({ state }) => state)).toEqual(states.map((state) => PaymentState[state]));
  expect(new Set(changes.map(({ version }) => version)).size).toBe(states.length);
}
