import { PaymentOutcome, PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationState } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BoxOffice, newId, openBoxOffice, type Replica, reasonOf, refusalOf } from "./harness.ts";

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
  office.bank.refunds.length = 0;
  office.bank.refundFaults.length = 0;
  delete office.bank.lookup;
  await office.owner.query({ text: "delete from payment.payments" });
});

const REASON = "the buyer fell ill";

async function pay(reservationId: string, token = "tok", by = replica): Promise<string> {
  const { payment } = await by.buyer.payReservation({ reservationId, token });
  return payment?.paymentId ?? "";
}

/** A payment whose charge is not known to have been made, though it was or was not. */
const unknown = (reservationId: string, { isCharged }: { isCharged: boolean }) =>
  pay(reservationId, isCharged ? "charge and break" : "break");

const refund = async (paymentId: string, more: { keepOffSale?: boolean; requestId?: string } = {}) =>
  (await replica.operator.refundPayment({ paymentId, reason: REASON, ...more })).payment?.state;

const resolve = async (paymentId: string, outcome: PaymentOutcome, more: { requestId?: string } = {}) =>
  (await replica.operator.resolvePayment({ paymentId, outcome, reason: REASON, ...more })).payment?.state;

const stateOf = async (paymentId: string) => {
  const [row] = await office.owner.query<{ state: string; left: boolean }>({
    text: "select state, lease_until is not null as left from payment.payments where payment_id = $1",
    values: [paymentId],
  });
  return row && (row.left ? `${row.state}, and work is left` : row.state);
};

/** Lets the completer look again and again, as its loop would. */
async function completeUntil(paymentId: string, state: string) {
  const look = () => replica.complete().then(() => stateOf(paymentId));
  await expect.poll(look, { timeout: 10_000, interval: 100 }).toBe(state);
}

async function dueNow() {
  await office.owner.query({
    text: "update payment.payments set lease_until = payment.clock() where lease_until is not null",
  });
}

describe("a refund", () => {
  test.each([true, false])(
    "gives the money back, and then the tickets (off sale: %s)",
    async (keepOffSale) => {
      const reservationId = office.sales.hold();
      const paymentId = await pay(reservationId);
      expect(await refund(paymentId, { keepOffSale })).toBe(PaymentState.REFUNDED);
      expect(await stateOf(paymentId)).toBe("REFUNDED");
      expect(office.bank.refunds).toEqual([paymentId]);
      expect(office.sales.get(reservationId)).toMatchObject({
        state: "CANCELLED",
        keepsOffSale: keepOffSale,
      });
      expect((await office.announced(paymentId)).map(({ state }) => state)).toEqual([
        PaymentState.PROCESSING,
        PaymentState.SUCCEEDED,
        PaymentState.REFUNDING,
        PaymentState.REFUNDED,
      ]);
      expect((await replica.buyer.getPayment({ paymentId })).payment?.state).toBe(PaymentState.REFUNDED);
    },
  );

  test.each(["not sent", "away", "lost"] as const)(
    "whose answer is %s is asked for again, by the same key, and the reservation stays paid until it is certain",
    async (fault) => {
      const reservationId = office.sales.hold();
      const paymentId = await pay(reservationId);
      office.bank.refundFaults.push(fault, fault);
      expect(await refund(paymentId)).toBe(PaymentState.REFUNDING);
      expect(office.sales.get(reservationId).state).toBe("PAID");
      expect(await reasonOf(replica.buyer.payReservation({ reservationId, token: "tok" }))).toBe(
        "PAYMENT_IN_PROGRESS",
      );
      await dueNow();
      await completeUntil(paymentId, "REFUNDED");
      expect(office.bank.refunds).toEqual([paymentId]);
      expect(office.sales.get(reservationId).state).toBe("CANCELLED");
    },
  );

  test("is answered REFUNDING in time, however long the provider takes", async () => {
    const hasty = await office.start({ providerTimeoutMs: 50, answerWithinMs: 200 });
    const paymentId = await pay(office.sales.hold());
    office.bank.refundFaults.push(new Promise(() => {}));
    const { payment } = await hasty.operator.refundPayment({ paymentId, reason: REASON });
    expect(payment?.state).toBe(PaymentState.REFUNDING);
    await dueNow();
    await completeUntil(paymentId, "REFUNDED");
  });

  test("tells the reservation as often as it takes", async () => {
    const reservationId = office.sales.hold();
    const paymentId = await pay(reservationId);
    office.sales.fail("release", "away", "lost", "away");
    expect(await refund(paymentId)).toBe(PaymentState.REFUNDED);
    expect(await stateOf(paymentId)).toBe("REFUNDED, and work is left");
    expect(office.sales.get(reservationId).state).toBe("PAID");
    await dueNow();
    await completeUntil(paymentId, "REFUNDED");
    expect(office.sales.get(reservationId).state).toBe("CANCELLED");
  });

  test("twenty at once, on two replicas: one is accepted, and the money goes back once", async () => {
    const other = await office.start();
    const paymentId = await pay(office.sales.hold());
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 ? other : replica).operator.refundPayment({ paymentId, reason: REASON, requestId: newId() }),
      ),
    );
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await stateOf(paymentId)).toBe("REFUNDED");
    expect(office.bank.refunds).toEqual([paymentId]);
  });

  test("after it, the reservation decides who may pay", async () => {
    const reservationId = office.sales.hold();
    await refund(await pay(reservationId));
    expect(await reasonOf(replica.buyer.payReservation({ reservationId, token: "tok" }))).toBe(
      "RESERVATION_CANCELLED",
    );
  });

  test("of a provider that gives nothing back waits for the operator to say so", async () => {
    const provider = { charge: office.bank.charge.bind(office.bank) };
    const other = await office.start({ provider });
    const reservationId = office.sales.hold();
    const paymentId = await pay(reservationId, "tok", other);
    await other.operator.refundPayment({ paymentId, reason: REASON });
    await dueNow();
    await other.complete();
    expect(await stateOf(paymentId)).toBe("REFUNDING, and work is left");
    expect(await resolve(paymentId, PaymentOutcome.REFUNDED)).toBe(PaymentState.REFUNDED);
    expect(office.sales.get(reservationId).state).toBe("CANCELLED");
    expect(office.bank.refunds).toEqual([]);
  });
});

describe("a payment whose outcome is unknown", () => {
  test("was made, says the operator: the reservation is paid", async () => {
    const reservationId = office.sales.hold();
    const paymentId = await unknown(reservationId, { isCharged: true });
    expect(await resolve(paymentId, PaymentOutcome.CHARGED)).toBe(PaymentState.SUCCEEDED);
    expect(office.sales.get(reservationId).state).toBe("PAID");
  });

  test("was not made, says the operator: the hold is there again, and can be paid", async () => {
    const reservationId = office.sales.hold();
    const paymentId = await unknown(reservationId, { isCharged: false });
    expect(await resolve(paymentId, PaymentOutcome.FAILED)).toBe(PaymentState.FAILED);
    expect(office.sales.get(reservationId).state).toBe("HELD");
    const { payment } = await replica.buyer.payReservation({ reservationId, token: "tok" });
    expect(payment?.state).toBe(PaymentState.SUCCEEDED);
  });

  test("is settled while reservation is away: it is told afterwards", async () => {
    const reservationId = office.sales.hold();
    const paymentId = await unknown(reservationId, { isCharged: true });
    office.sales.fail("confirm", "away");
    expect(await resolve(paymentId, PaymentOutcome.CHARGED)).toBe(PaymentState.PROCESSING);
    await dueNow();
    await completeUntil(paymentId, "CONFIRMED");
    expect(office.sales.get(reservationId).state).toBe("PAID");
  });

  test.each([
    ["before", 0],
    ["after", 1],
  ])(
    "succeeds after it was taken for failed, %s its hold was given back: the money goes back",
    async (_, n) => {
      const hasty = await office.start({ providerTimeoutMs: 100 });
      const reservationId = office.sales.hold();
      const paymentId = await pay(reservationId, "wait", hasty);
      expect(await stateOf(paymentId)).toBe("UNKNOWN, and work is left");
      if (n === 0) office.sales.fail("abort", ...Array<"away">(5).fill("away"));
      expect(await resolve(paymentId, PaymentOutcome.FAILED)).toBe(PaymentState.FAILED);
      office.bank.release();
      await expect.poll(() => stateOf(paymentId)).toBe("REFUND_DUE, and work is left");
      office.sales.heal();
      await dueNow();
      await completeUntil(paymentId, "REFUNDED");
      expect(office.bank.refunds).toEqual([paymentId]);
      expect(office.sales.get(reservationId).state).toBe("HELD");
      const { payment } = await replica.buyer.payReservation({ reservationId, token: "tok" });
      expect(payment?.state).toBe(PaymentState.SUCCEEDED);
    },
  );

  test("twenty operators do not agree what became of it: one is believed", async () => {
    const reservationId = office.sales.hold();
    const paymentId = await unknown(reservationId, { isCharged: true });
    const other = await office.start();
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 ? other : replica).operator.resolvePayment({
          paymentId,
          outcome: n % 3 ? PaymentOutcome.CHARGED : PaymentOutcome.FAILED,
          reason: REASON,
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const isPaid = office.sales.get(reservationId).state === "PAID";
    expect(await stateOf(paymentId)).toBe(isPaid ? "CONFIRMED" : "FAILED");
  });
});

describe("an act that comes again", () => {
  test("with its request id: the payment as it is now", async () => {
    const paymentId = await pay(office.sales.hold());
    const requestId = newId();
    office.bank.refundFaults.push("away");
    expect(await refund(paymentId, { requestId })).toBe(PaymentState.REFUNDING);
    await dueNow();
    await completeUntil(paymentId, "REFUNDED");
    expect(await refund(paymentId, { requestId: requestId.toUpperCase() })).toBe(PaymentState.REFUNDED);
    expect(office.bank.refunds).toEqual([paymentId]);
  });

  test("at the same moment, twenty times: all are answered alike", async () => {
    const paymentId = await pay(office.sales.hold());
    const requestId = newId();
    const states = await Promise.all(Array.from({ length: 20 }, () => refund(paymentId, { requestId })));
    expect([PaymentState.REFUNDING, PaymentState.REFUNDED]).toEqual(
      expect.arrayContaining([...new Set(states)]),
    );
    expect(office.bank.refunds).toEqual([paymentId]);
  });

  test("with other content: REQUEST_ID_REUSED", async () => {
    const [paymentId, second] = [await pay(office.sales.hold()), await pay(office.sales.hold())];
    const requestId = newId();
    await refund(paymentId, { requestId });
    const again = (change: object) =>
      replica.operator.refundPayment({ paymentId, reason: REASON, requestId, ...change });
    expect(await reasonOf(again({ keepOffSale: true }))).toBe("REQUEST_ID_REUSED");
    expect(await reasonOf(again({ reason: "another" }))).toBe("REQUEST_ID_REUSED");
    expect(await reasonOf(again({ paymentId: second }))).toBe("REQUEST_ID_REUSED");
    const resolving = { paymentId, outcome: PaymentOutcome.REFUNDED, reason: REASON, requestId };
    expect(await reasonOf(replica.operator.resolvePayment(resolving))).toBe("REQUEST_ID_REUSED");
    expect(office.bank.refunds).toEqual([paymentId]);
  });

  test("for two payments at the same moment: one of them", async () => {
    const requestId = newId();
    const ids = await Promise.all(Array.from({ length: 4 }, () => pay(office.sales.hold())));
    const answers = await Promise.allSettled(ids.map((id) => refund(id, { requestId })));
    const refused = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason.reason] : []));
    expect(refused).toEqual(Array(3).fill("REQUEST_ID_REUSED"));
    expect(office.bank.refunds).toHaveLength(1);
  });

  test("without one, or after a refusal: it is decided anew", async () => {
    const paymentId = await unknown(office.sales.hold(), { isCharged: true });
    const requestId = newId();
    expect(await reasonOf(replica.operator.refundPayment({ paymentId, reason: REASON, requestId }))).toBe(
      "PAYMENT_NOT_REFUNDABLE",
    );
    await resolve(paymentId, PaymentOutcome.CHARGED);
    expect(await refund(paymentId, { requestId })).toBe(PaymentState.REFUNDED);
    const error = await refusalOf(replica.operator.refundPayment({ paymentId, reason: REASON }));
    expect([error.reason, error.metadata]).toEqual(["PAYMENT_NOT_REFUNDABLE", { state: "REFUNDED" }]);
  });
});

describe("who did what, when and why", () => {
  const entriesOf = async (paymentId: string) =>
    (await replica.operator.listAuditEntries({ filter: { target: paymentId } })).entries;

  test("is kept with what it changed", async () => {
    const reservationId = office.sales.hold();
    const paymentId = await unknown(reservationId, { isCharged: true });
    await resolve(paymentId, PaymentOutcome.CHARGED);
    await refund(paymentId, { keepOffSale: true });
    const { eventId } = office.sales.get(reservationId);
    const common = { actor: "op", reason: REASON, target: paymentId, eventId };
    expect(await entriesOf(paymentId)).toMatchObject([
      {
        ...common,
        action: "RefundPayment",
        details: { keep_off_sale: "true", from: "CONFIRMED", to: "REFUNDING" },
      },
      {
        ...common,
        action: "ResolvePayment",
        details: { outcome: "CHARGED", from: "UNKNOWN", to: "CHARGED" },
      },
    ]);
  });

  test("is kept once, however often it comes, and not where it is refused", async () => {
    const paymentId = await pay(office.sales.hold());
    const requestId = newId();
    await Promise.all(Array.from({ length: 10 }, () => refund(paymentId, { requestId })));
    await refund(paymentId, { requestId });
    await refund(paymentId).catch(() => {});
    expect(await entriesOf(paymentId)).toHaveLength(1);
  });
});

describe("who and what", () => {
  test("only operators resolve and refund", async () => {
    const { buyer } = replica;
    const paymentId = newId();
    const { CHARGED: outcome } = PaymentOutcome;
    expect(await reasonOf(buyer.refundPayment({ paymentId, reason: REASON }))).toBe("UNAUTHENTICATED");
    expect(await reasonOf(buyer.resolvePayment({ paymentId, outcome, reason: REASON }))).toBe(
      "UNAUTHENTICATED",
    );
  });

  test("a payment that is not there", async () => {
    const request = { paymentId: newId(), reason: REASON };
    expect(await reasonOf(replica.operator.refundPayment(request))).toBe("PAYMENT_NOT_FOUND");
  });

  test.each([
    ["no reason", { reason: "" }, "reason"],
    ["a blank reason", { reason: " \n " }, "reason"],
    ["a long reason", { reason: "x".repeat(501) }, "reason"],
    ["no payment", { paymentId: "" }, "payment_id"],
    ["a request id that is none", { requestId: "1" }, "request_id"],
    ["no outcome", { outcome: PaymentOutcome.UNSPECIFIED }, "outcome"],
    ["an outcome that is none", { outcome: 9 as PaymentOutcome }, "outcome"],
  ])("%s is INVALID_REQUEST and names the field", async (_, change, field) => {
    const request = { paymentId: newId(), outcome: PaymentOutcome.CHARGED, reason: REASON, ...change };
    const error = await refusalOf(replica.operator.resolvePayment(request));
    expect([error.reason, error.fields.map((each) => each.field)]).toEqual(["INVALID_REQUEST", [field]]);
  });

  test("the reservation is told by the payment's answer", async () => {
    const reservationId = office.sales.hold();
    const order = { reservationId, token: "tok", requestId: newId() };
    const { payment } = await replica.buyer.payReservation(order);
    await refund(payment?.paymentId ?? "");
    const again = await replica.buyer.payReservation(order);
    expect([again.payment?.state, again.reservation?.state]).toEqual([
      PaymentState.REFUNDED,
      ReservationState.CANCELLED,
    ]);
  });
});
