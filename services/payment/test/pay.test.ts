import { createServer } from "node:net";
import { PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationState } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { NotSentError } from "../provider/port.ts";
import { type BoxOffice, newId, openBoxOffice, type Replica, reasonOf, refusalOf } from "./harness.ts";
import { refusal } from "./sales.ts";

let office: BoxOffice;
let replica: Replica;

beforeAll(async () => {
  office = await openBoxOffice();
  replica = await office.start();
});

afterAll(() => office.end());

beforeEach(() => {
  office.sales.heal();
  office.sales.done.length = 0;
  office.bank.ledger.length = 0;
  office.bank.asked.length = 0;
});

const pay = (
  reservationId: string,
  token = "tok",
  more: { currencyCode?: string; requestId?: string } = {},
) => replica.buyer.payReservation({ reservationId, token, ...more });

const attemptsOf = (reservationId: string) =>
  office.owner.query<{ state: string; failure_reason: string | null; is_abort_pending: boolean }>({
    text: `
      select state, failure_reason, is_abort_pending from payment.payments
      where reservation_id = $1 order by attempt`,
    values: [reservationId],
  });

const statesOf = async (reservationId: string) => (await attemptsOf(reservationId)).map(({ state }) => state);

test("a payment charges what the reservation costs, and the reservation is paid", async () => {
  const reservationId = office.sales.hold(123_45n);
  const { eventId } = office.sales.get(reservationId);
  const { payment, reservation } = await pay(reservationId.toUpperCase());
  expect(payment).toMatchObject({
    reservationId,
    eventId,
    state: PaymentState.SUCCEEDED,
    amount: { currencyCode: "EUR", minorUnits: 123_45n },
    failureReason: "",
  });
  const paymentId = payment?.paymentId ?? "";
  expect(reservation).toMatchObject({ reservationId, state: ReservationState.PAID, paymentId });
  expect(office.bank.ledger).toEqual([{ key: paymentId, amount: 123_45n, currency: "EUR" }]);
  expect(office.sales.done).toEqual(["begin", "confirm"]);
  // Who has the payment's id alone, as the provider has and whoever listens to events, does not learn the reservation's.
  expect((await replica.buyer.getPayment({ paymentId })).payment).toEqual({ ...payment, reservationId: "" });
  expect((await replica.operator.getPayment({ paymentId })).payment).toEqual(payment);
  const changes = await office.announced(paymentId);
  expect(changes.map(({ state, version }) => [state, version])).toEqual([
    [PaymentState.PROCESSING, 3n],
    [PaymentState.SUCCEEDED, 4n],
  ]);
  expect(changes[0]?.reservationRef).toMatch(/^[0-9a-f]{32}$/);
});

describe("a definite failure is told after the hold is there again", () => {
  test.each([
    ["card_error", "", "CARD_DECLINED", "Your card has been declined"],
    ["payment_error", "EUR", "PAYMENT_FAILED", "Something went wrong with your transaction"],
    ["tok", "USD", "CURRENCY_NOT_SUPPORTED", "Currency USD not supported"],
    ["tok", "$&", "CURRENCY_NOT_SUPPORTED", "Currency $& not supported"],
  ])("token %s, currency %j: %s", async (token, currencyCode, reason, message) => {
    const reservationId = office.sales.hold();
    const requestId = newId();
    const error = await refusalOf(pay(reservationId, token, { currencyCode, requestId }));
    expect([error.reason, error.message]).toEqual([reason, message]);
    expect(office.sales.get(reservationId).state).toBe("HELD");
    expect(office.bank.ledger).toEqual([]);
    expect(await attemptsOf(reservationId)).toEqual([
      { state: "FAILED", failure_reason: reason, is_abort_pending: false },
    ]);
    const paymentId = error.metadata.payment_id ?? "";
    expect((await replica.buyer.getPayment({ paymentId })).payment).toMatchObject({
      state: PaymentState.FAILED,
      failureReason: reason,
    });
    expect(await office.announced(paymentId)).toMatchObject([
      { state: PaymentState.FAILED, failureReason: reason },
    ]);
    // The same order again is the same failure; another one succeeds.
    const again = await refusalOf(pay(reservationId, token, { currencyCode, requestId }));
    expect([again.reason, again.message, again.metadata]).toEqual([reason, message, error.metadata]);
    expect((await pay(reservationId)).payment?.state).toBe(PaymentState.SUCCEEDED);
  });

  test("a reservation in a currency the provider does not take", async () => {
    const reservationId = office.sales.hold(1_00n, "USD");
    const inEuro = await refusalOf(pay(reservationId));
    const inDollars = await refusalOf(pay(reservationId, "tok", { currencyCode: "USD" }));
    expect([inEuro.message, inDollars.message]).toEqual([
      "Currency EUR not supported",
      "Currency USD not supported",
    ]);
    expect(office.bank.asked).toEqual(["tok"]);
    expect(office.sales.get(reservationId).state).toBe("HELD");
  });

  test("a provider that could not be asked", async () => {
    const provider = { charge: () => Promise.reject(new NotSentError("no connection")) };
    const other = await office.start({ provider });
    const reservationId = office.sales.hold();
    const error = await refusalOf(other.buyer.payReservation({ reservationId, token: "tok" }));
    expect([error.reason, error.retryAfterMs]).toEqual(["DEPENDENCY_UNAVAILABLE", 1_000]);
    expect(office.sales.get(reservationId).state).toBe("HELD");
  });
});

describe("what reservation refuses is passed on", () => {
  test.each([
    "RESERVATION_EXPIRED",
    "RESERVATION_EXPIRING",
    "RESERVATION_CANCELLED",
    "EVENT_CANCELLED",
    "PAYMENT_IN_PROGRESS",
    "RESERVATION_ALREADY_PAID",
  ] as const)("%s", async (reason) => {
    const reservationId = office.sales.hold();
    const requestId = newId();
    office.sales.fail("begin", refusal(reason, { seconds: "4", payment_id: "other" }));
    const error = await refusalOf(pay(reservationId, "tok", { requestId }));
    expect([error.reason, error.metadata]).toEqual([reason, { seconds: "4", payment_id: "other" }]);
    expect(await attemptsOf(reservationId)).toEqual([
      { state: "FAILED", failure_reason: reason, is_abort_pending: false },
    ]);
    expect(await reasonOf(pay(reservationId, "tok", { requestId }))).toBe(reason);
    expect(office.bank.asked).toEqual([]);
  });

  test("RESERVATION_NOT_FOUND leaves nothing behind", async () => {
    const reservationId = newId();
    const requestId = newId();
    expect(await reasonOf(pay(reservationId, "tok", { requestId }))).toBe("RESERVATION_NOT_FOUND");
    expect(await attemptsOf(reservationId)).toEqual([]);
    const other = office.sales.hold(); // the request id was not used up
    expect((await pay(other, "tok", { requestId })).payment?.state).toBe(PaymentState.SUCCEEDED);
  });

  test("a reservation service that cannot be reached: nothing happened, and the same order may come again", async () => {
    const lonely = await office.start({ reservationAddress: `127.0.0.1:${await unusedPort()}` });
    const order = { reservationId: office.sales.hold(), token: "tok", requestId: newId() };
    const error = await refusalOf(lonely.buyer.payReservation(order));
    expect([error.reason, error.retryAfterMs]).toEqual(["DEPENDENCY_UNAVAILABLE", 1_000]);
    expect(await attemptsOf(order.reservationId)).toEqual([]);
    expect((await replica.buyer.payReservation(order)).payment?.state).toBe(PaymentState.SUCCEEDED);
  });
});

describe("an order that comes again", () => {
  test("the same: the payment as it is now, also from another replica", async () => {
    const order = { reservationId: office.sales.hold(), token: "tok", requestId: newId() };
    const first = await replica.buyer.payReservation(order);
    const other = await office.start();
    for (const { buyer } of [replica, other]) {
      const again = await buyer.payReservation({ ...order, requestId: order.requestId.toUpperCase() });
      expect(again.payment).toEqual(first.payment);
      expect(again.reservation?.state).toBe(ReservationState.PAID);
    }
    expect(office.bank.ledger).toHaveLength(1);
  });

  test.each([
    ["another token", { token: "tok2" }],
    ["another currency", { currencyCode: "USD" }],
    ["another reservation", { reservationId: newId() }],
  ])("with %s: REQUEST_ID_REUSED", async (_, change) => {
    const order = { reservationId: office.sales.hold(), token: "tok", requestId: newId() };
    await replica.buyer.payReservation(order);
    expect(await reasonOf(replica.buyer.payReservation({ ...order, ...change }))).toBe("REQUEST_ID_REUSED");
    expect(office.bank.ledger).toHaveLength(1);
  });

  test("no currency is EUR", async () => {
    const order = { reservationId: office.sales.hold(), token: "tok", requestId: newId() };
    const first = await replica.buyer.payReservation(order);
    const again = await replica.buyer.payReservation({ ...order, currencyCode: "EUR" });
    expect(again.payment).toEqual(first.payment);
  });

  test("while it is under way: it waits here, and is told PROCESSING by another replica", async () => {
    const order = { reservationId: office.sales.hold(), token: "wait", requestId: newId() };
    const first = replica.buyer.payReservation(order);
    await expect.poll(() => office.bank.asked).toHaveLength(1);
    const again = replica.buyer.payReservation(order);
    const other = await office.start();
    const elsewhere = await other.buyer.payReservation(order);
    expect(elsewhere.payment?.state).toBe(PaymentState.PROCESSING);
    expect(elsewhere.reservation?.state).toBe(ReservationState.PAYING);
    const another = await refusalOf(pay(order.reservationId));
    expect([another.reason, another.metadata.payment_id]).toEqual([
      "PAYMENT_IN_PROGRESS",
      elsewhere.payment?.paymentId,
    ]);
    office.bank.release();
    expect((await again).payment).toEqual((await first).payment);
    expect((await first).payment?.state).toBe(PaymentState.SUCCEEDED);
    expect(office.bank.asked).toHaveLength(1);
  });

  test("another after UNKNOWN: PAYMENT_IN_PROGRESS, and never a second charge", async () => {
    const order = { reservationId: office.sales.hold(), token: "charge and break", requestId: newId() };
    const { payment, reservation } = await replica.buyer.payReservation(order);
    expect(payment?.state).toBe(PaymentState.UNKNOWN);
    expect(reservation?.state).toBe(ReservationState.PAYING);
    const error = await refusalOf(pay(order.reservationId));
    expect([error.reason, error.metadata]).toEqual([
      "PAYMENT_IN_PROGRESS",
      { payment_id: payment?.paymentId },
    ]);
    expect((await replica.buyer.payReservation(order)).payment).toEqual(payment);
    expect(office.bank.asked).toHaveLength(1);
  });

  test("another after success: RESERVATION_ALREADY_PAID", async () => {
    const reservationId = office.sales.hold();
    const { payment } = await pay(reservationId);
    const error = await refusalOf(pay(reservationId));
    expect([error.reason, error.metadata]).toEqual([
      "RESERVATION_ALREADY_PAID",
      { payment_id: payment?.paymentId },
    ]);
  });

  test("another after FAILED first completes its abort", async () => {
    const reservationId = office.sales.hold();
    office.sales.fail("abort", "away", "away", "away");
    expect(await reasonOf(pay(reservationId, "card_error"))).toBe("CARD_DECLINED");
    expect(office.sales.get(reservationId).state).toBe("PAYING");
    expect((await attemptsOf(reservationId))[0]?.is_abort_pending).toBe(true);
    expect((await pay(reservationId)).payment?.state).toBe(PaymentState.SUCCEEDED);
    expect(office.sales.done).toEqual(["begin", "abort", "begin", "confirm"]);
    expect(await statesOf(reservationId)).toEqual(["FAILED", "CONFIRMED"]);
  });

  test("another after FAILED whose abort does not succeed: nothing happens", async () => {
    const reservationId = office.sales.hold();
    office.sales.fail("abort", "away", "away", "away", "away", "away", "away");
    expect(await reasonOf(pay(reservationId, "card_error"))).toBe("CARD_DECLINED");
    expect(await reasonOf(pay(reservationId))).toBe("DEPENDENCY_UNAVAILABLE");
    expect(await statesOf(reservationId)).toEqual(["FAILED"]);
  });

  test("after ten attempts there are no more", async () => {
    const reservationId = office.sales.hold();
    const requestId = newId();
    for (let attempt = 1; attempt <= 10; attempt++) {
      const more = attempt === 10 ? { requestId } : {};
      expect(await reasonOf(pay(reservationId, "card_error", more))).toBe("CARD_DECLINED");
    }
    const error = await refusalOf(pay(reservationId));
    expect([error.reason, error.metadata]).toEqual(["LIMIT_EXCEEDED", { max_attempts: "10" }]);
    expect(await reasonOf(pay(reservationId, "card_error", { requestId }))).toBe("CARD_DECLINED");
  });
});

describe("many at once, on two replicas", () => {
  test("50 with the same request id: one charge, one answer", async () => {
    const other = await office.start();
    const order = { reservationId: office.sales.hold(), token: "tok", requestId: newId() };
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => (n % 2 ? other : replica).buyer.payReservation(order)),
    );
    expect(new Set(answers.map(({ payment }) => payment?.paymentId)).size).toBe(1);
    expect(office.bank.ledger).toHaveLength(1);
    expect((await replica.buyer.payReservation(order)).payment?.state).toBe(PaymentState.SUCCEEDED);
    expect(await statesOf(order.reservationId)).toEqual(["CONFIRMED"]);
  });

  test("50 with different tokens: one charge, the others are refused", async () => {
    const other = await office.start();
    const reservationId = office.sales.hold();
    const answers = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) =>
        (n % 2 ? other : replica).buyer.payReservation({
          reservationId,
          token: `tok${n}`,
          requestId: newId(),
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(office.bank.asked).toHaveLength(1);
    const refusals = answers.flatMap((answer) =>
      answer.status === "rejected" ? [answer.reason.reason] : [],
    );
    expect(refusals).toHaveLength(49);
    expect(["PAYMENT_IN_PROGRESS", "RESERVATION_ALREADY_PAID"]).toEqual(
      expect.arrayContaining([...new Set(refusals)]),
    );
    expect(await statesOf(reservationId)).toEqual(["CONFIRMED"]);
  });

  test("50 that are declined: never more than ten attempts, and every hold is given back", async () => {
    const reservationId = office.sales.hold();
    await Promise.allSettled(Array.from({ length: 50 }, () => pay(reservationId, "card_error")));
    const attempts = await attemptsOf(reservationId);
    expect(attempts.length).toBeLessThanOrEqual(10);
    expect(new Set(attempts.map(({ state }) => state))).toEqual(new Set(["FAILED"]));
    expect(office.sales.get(reservationId).state).toBe("HELD");
  });
});

describe("the caller goes away", () => {
  test("in the middle of a charge: it goes on", async () => {
    const reservationId = office.sales.hold();
    const gone = new AbortController();
    const call = replica.buyer.payReservation({ reservationId, token: "wait" }, { signal: gone.signal });
    call.catch(() => {});
    await expect.poll(() => office.bank.asked).toHaveLength(1);
    gone.abort();
    await expect(call).rejects.toThrow();
    office.bank.release();
    await expect.poll(() => statesOf(reservationId)).toEqual(["CONFIRMED"]);
    expect(office.sales.get(reservationId).state).toBe("PAID");
  });

  test("a deadline is answered before it is over, with PROCESSING, whoever else is slow", async () => {
    const reservationId = office.sales.hold();
    office.sales.fail("get", new Promise(() => {}));
    const { payment, reservation } = await replica.buyer.payReservation(
      { reservationId, token: "wait" },
      { timeoutMs: 900 },
    );
    expect([payment?.state, reservation?.state]).toEqual([PaymentState.PROCESSING, ReservationState.PAYING]);
    office.bank.release();
    await expect.poll(() => statesOf(reservationId)).toEqual(["CONFIRMED"]);
  });

  test("without a deadline the wait is bounded all the same", async () => {
    const impatient = await office.start({ answerWithinMs: 50 });
    const reservationId = office.sales.hold();
    const { payment } = await impatient.buyer.payReservation({ reservationId, token: "wait" });
    expect(payment?.state).toBe(PaymentState.PROCESSING);
    await expect.poll(() => office.bank.waiting).toBe(1); // the answer may have come before the provider was asked
    office.bank.release();
    await expect.poll(() => statesOf(reservationId)).toEqual(["CONFIRMED"]);
  });
});

describe("a provider that does not behave", () => {
  test.each(["break", "charge and break", "charge too much"])(
    "%s: UNKNOWN, and the seat is kept",
    async (token) => {
      const reservationId = office.sales.hold();
      const { payment } = await pay(reservationId, token);
      expect(payment?.state).toBe(PaymentState.UNKNOWN);
      expect(office.sales.get(reservationId).state).toBe("PAYING");
      expect(await office.announced(payment?.paymentId ?? "")).toMatchObject([
        { state: PaymentState.UNKNOWN },
      ]);
    },
  );

  test("no answer in time: UNKNOWN; one that comes later counts", async () => {
    const hasty = await office.start({ providerTimeoutMs: 100 });
    const [hanging, late] = [office.sales.hold(), office.sales.hold()];
    const answers = await Promise.all([
      hasty.buyer.payReservation({ reservationId: hanging, token: "hang" }),
      hasty.buyer.payReservation({ reservationId: late, token: "wait" }),
    ]);
    expect(answers.map(({ payment }) => payment?.state)).toEqual([
      PaymentState.UNKNOWN,
      PaymentState.UNKNOWN,
    ]);
    office.bank.release();
    await expect.poll(() => statesOf(late)).toEqual(["CONFIRMED"]);
    expect(office.sales.get(late).state).toBe("PAID");
    expect(await statesOf(hanging)).toEqual(["UNKNOWN"]);
    expect(office.bank.ledger).toHaveLength(1);
  });
});

describe("lost answers", () => {
  test.each([
    ["begin", "lost"],
    ["begin", "away"],
    ["confirm", "lost"],
    ["confirm", "away"],
  ] as const)("of %s, %s: it is asked again", async (step, fault) => {
    const reservationId = office.sales.hold();
    office.sales.fail(step, fault);
    const { payment, reservation } = await pay(reservationId);
    expect([payment?.state, reservation?.state]).toEqual([PaymentState.SUCCEEDED, ReservationState.PAID]);
    expect(office.bank.ledger).toHaveLength(1);
  });

  test.each(["lost", "away"] as const)("of abort, %s: it is asked again", async (fault) => {
    const reservationId = office.sales.hold();
    office.sales.fail("abort", fault);
    expect(await reasonOf(pay(reservationId, "card_error"))).toBe("CARD_DECLINED");
    expect(office.sales.get(reservationId).state).toBe("HELD");
  });

  test.each(["lost", "away"] as const)(
    "of every begin, %s: nothing is charged, the hold is back",
    async (fault) => {
      const reservationId = office.sales.hold();
      office.sales.fail("begin", fault, fault, fault);
      expect(await reasonOf(pay(reservationId))).toBe("DEPENDENCY_UNAVAILABLE");
      expect(office.bank.asked).toEqual([]);
      expect(office.sales.get(reservationId).state).toBe("HELD");
      expect((await pay(reservationId)).payment?.state).toBe(PaymentState.SUCCEEDED);
    },
  );

  test("of every confirm: PROCESSING until the completer has it confirmed", async () => {
    const reservationId = office.sales.hold();
    office.sales.fail("confirm", "away", "away", "away");
    const { payment } = await pay(reservationId);
    expect(payment?.state).toBe(PaymentState.PROCESSING);
    const completed = () => replica.complete().then(() => statesOf(reservationId));
    await expect.poll(completed, { timeout: 5_000 }).toEqual(["CONFIRMED"]);
  });

  test("a confirm refused for good: the money is owed, and said to be given back", async () => {
    const reservationId = office.sales.hold();
    office.sales.fail("confirm", refusal("RESERVATION_EXPIRED"));
    const { payment } = await pay(reservationId);
    expect(payment?.state).toBe(PaymentState.REFUNDING);
    expect(await statesOf(reservationId)).toEqual(["REFUND_DUE"]);
    expect(await reasonOf(pay(reservationId))).toBe("PAYMENT_IN_PROGRESS");
  });
});

describe("the database", () => {
  test.each([
    ["loses the answer to each commit once", (n: number) => n % 2 === 0, "after"],
    ["is away for a while at each step", (n: number) => n % 3 !== 2, "before"],
  ] as const)("%s: one charge, and it is recorded", async (_, isLost, when) => {
    const unlucky = await office.start();
    const { database } = unlucky.ledger;
    const transaction = database.transaction.bind(database);
    let calls = -1; // P1 goes well: whoever is not on record is told to come again
    database.transaction = async (work) => {
      const lost = calls >= 0 && isLost(calls);
      calls++;
      if (lost && when === "before") throw refusal("DEPENDENCY_UNAVAILABLE");
      const result = await transaction(work);
      if (lost) throw refusal("DEPENDENCY_UNAVAILABLE");
      return result;
    };
    const reservationId = office.sales.hold();
    await unlucky.buyer.payReservation({ reservationId, token: "tok" });
    const completed = () => replica.complete().then(() => statesOf(reservationId));
    await expect.poll(completed, { timeout: 5_000 }).toEqual(["CONFIRMED"]);
    expect(office.bank.asked).toEqual(["tok"]);
    expect(calls).toBeGreaterThan(4);
  });
});

test("more payments than may be under way are refused before they begin", async () => {
  const small = await office.start({ maxRunning: 1 });
  const [first, second] = [office.sales.hold(), office.sales.hold()];
  const running = small.buyer.payReservation({ reservationId: first, token: "wait" });
  await expect.poll(() => office.bank.asked).toHaveLength(1);
  expect(await reasonOf(small.buyer.payReservation({ reservationId: second, token: "tok" }))).toBe(
    "OVERLOADED",
  );
  expect(await attemptsOf(second)).toEqual([]);
  office.bank.release();
  await running;
  await small.buyer.payReservation({ reservationId: second, token: "tok" });
});

test("a process that stops waits for the charge under way", async () => {
  const stopping = await office.start();
  const reservationId = office.sales.hold();
  const call = stopping.buyer.payReservation({ reservationId, token: "wait" });
  await expect.poll(() => office.bank.asked).toHaveLength(1);
  let isDrained = false;
  const drained = stopping.cashier.drain(5_000).then(() => {
    isDrained = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isDrained).toBe(false);
  office.bank.release();
  await drained;
  expect(await statesOf(reservationId)).toEqual(["CONFIRMED"]);
  await call;
});

test("a payment that is not there", async () => {
  expect(await reasonOf(replica.buyer.getPayment({ paymentId: newId() }))).toBe("PAYMENT_NOT_FOUND");
});

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}
