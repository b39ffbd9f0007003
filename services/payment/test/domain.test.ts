import { createSecretKey } from "node:crypto";
import { isRefusal } from "@boxoffice/platform/errors.ts";
import { describe, expect, test } from "vitest";
import { type Act, contentOf, parseReason, perform } from "../domain/acts.ts";
import { admit, MAX_ATTEMPTS } from "../domain/admission.ts";
import { fingerprintOf } from "../domain/order.ts";
import { hasWorkLeft, PAYMENT_STATES, type Payment, type PaymentState } from "../domain/payment.ts";
import {
  aborted,
  confirmed,
  confirmRefused,
  giveUp,
  loseSight,
  recordOutcome,
  refunded,
  released,
  startCharging,
  startRefund,
} from "../domain/transitions.ts";

const bill = { eventId: "e", amountMinor: 1n, currencyCode: "EUR" };
const fingerprint = { content: "c", token: "t" };

const payment = (state: PaymentState, overrides: Partial<Payment> = {}): Payment => ({
  paymentId: "p",
  reservationId: "r",
  attempt: 1,
  state,
  version: 5,
  requestId: null,
  fingerprint,
  bill: state === "CREATED" ? null : bill,
  failureReason: state === "FAILED" ? "CARD_DECLINED" : null,
  isAbortPending: false,
  isReleasePending: false,
  keepsOffSale: false,
  leaseId: "mine",
  createdAt: new Date(0),
  ...overrides,
});

/** From which states each step leads where. From every other state it leads nowhere. */
const STEPS: [string, (payment: Payment) => Payment, Partial<Record<PaymentState, PaymentState>>][] = [
  ["startCharging", (before) => startCharging(before, "mine", bill), { CREATED: "CHARGING" }],
  ["startCharging without the lease", (before) => startCharging(before, "other", bill), {}],
  ["giveUp", (before) => giveUp(before, "mine", "RESERVATION_EXPIRED", null), { CREATED: "FAILED" }],
  ["giveUp without the lease", (before) => giveUp(before, "other", "RESERVATION_EXPIRED", null), {}],
  ["loseSight", (before) => loseSight(before, "mine"), { CHARGING: "UNKNOWN" }],
  ["loseSight without the lease", (before) => loseSight(before, "other"), {}],
  [
    "charged",
    (before) => recordOutcome({ ...before, leaseId: "other" }, { kind: "charged" }),
    { CHARGING: "CHARGED", UNKNOWN: "CHARGED", FAILED: "REFUND_DUE" },
  ],
  [
    "failed",
    (before) => recordOutcome(before, { kind: "failed", reason: "CARD_DECLINED" }),
    { CHARGING: "FAILED", UNKNOWN: "FAILED" },
  ],
  ["unknown", (before) => recordOutcome(before, { kind: "unknown" }), { CHARGING: "UNKNOWN" }],
  ["confirmed", confirmed, { CHARGED: "CONFIRMED" }],
  ["confirmRefused", confirmRefused, { CHARGED: "REFUND_DUE" }],
  ["aborted", aborted, {}],
  ["startRefund", (before) => startRefund(before, true), { CONFIRMED: "REFUNDING" }],
  ["refunded", refunded, { REFUNDING: "REFUNDED", REFUND_DUE: "REFUNDED" }],
  ["released", released, {}],
];

describe.each(STEPS)("%s", (_, step, leads) => {
  test.each(PAYMENT_STATES)("from %s", (state) => {
    const before = payment(state);
    const after = step(before);
    expect(after.state).toBe(leads[state] ?? state);
    expect(after.version).toBe(leads[state] ? 6 : 5);
    expect(after.failureReason !== null).toBe(after.state === "FAILED");
    expect(after.isAbortPending).toBe(leads[state] === "FAILED");
    expect(after.isReleasePending).toBe(state === "REFUNDING" && after.state === "REFUNDED");
    expect(after.keepsOffSale).toBe(after.state === "REFUNDING" && state === "CONFIRMED");
  });
});

test("work is left until the reservation knows", () => {
  const left = PAYMENT_STATES.filter((state) => hasWorkLeft(payment(state)));
  expect(left).toEqual(["CREATED", "CHARGING", "CHARGED", "UNKNOWN", "REFUND_DUE", "REFUNDING"]);
  const failed = payment("FAILED", { isAbortPending: true });
  expect([hasWorkLeft(failed), hasWorkLeft(aborted(failed))]).toEqual([true, false]);
  const refund = refunded(payment("REFUNDING"));
  expect([hasWorkLeft(refund), hasWorkLeft(released(refund))]).toEqual([true, false]);
});

test("a hold that was not given back yet still has to be, when the money comes after all and goes back", () => {
  const failed = payment("FAILED", { isAbortPending: true });
  const owed = recordOutcome(failed, { kind: "charged" });
  expect([owed.state, owed.isAbortPending]).toEqual(["REFUND_DUE", true]);
  const back = refunded(owed);
  expect([back.state, back.isAbortPending, back.isReleasePending]).toEqual(["REFUNDED", true, false]);
  expect(hasWorkLeft(aborted(back))).toBe(false);
});

describe("an act", () => {
  const act = { paymentId: "p", requestId: null, actor: "ada", action: "Act", reason: "asked by phone" };
  const ACTS: [Act, Partial<Record<PaymentState, PaymentState>>, string][] = [
    [{ ...act, kind: "resolve", outcome: "CHARGED" }, { UNKNOWN: "CHARGED" }, "PAYMENT_NOT_UNKNOWN"],
    [{ ...act, kind: "resolve", outcome: "FAILED" }, { UNKNOWN: "FAILED" }, "PAYMENT_NOT_UNKNOWN"],
    [
      { ...act, kind: "resolve", outcome: "REFUNDED" },
      { REFUND_DUE: "REFUNDED", REFUNDING: "REFUNDED" },
      "PAYMENT_NOT_REFUNDABLE",
    ],
    [{ ...act, kind: "refund", keepsOffSale: true }, { CONFIRMED: "REFUNDING" }, "PAYMENT_NOT_REFUNDABLE"],
  ];
  describe.each(ACTS)("%o", (each, leads, refusal) => {
    test.each(PAYMENT_STATES)("of a payment that is %s", (state) => {
      const becomes = leads[state];
      if (becomes !== undefined) expect(perform(payment(state), each).state).toBe(becomes);
      else expect(() => perform(payment(state), each)).toThrow(expect.objectContaining({ reason: refusal }));
    });
  });

  test("is the same only with the same content", () => {
    const contents = ACTS.map(([each]) => contentOf(each));
    expect(new Set(contents).size).toBe(ACTS.length);
    const refund: Act = { ...act, kind: "refund", keepsOffSale: true };
    expect(contents).toContain(contentOf({ ...refund, actor: "bob", requestId: "q" }));
    expect(contents).not.toContain(contentOf({ ...refund, reason: "another" }));
    expect(contents).not.toContain(contentOf({ ...refund, paymentId: "x" }));
    expect(contents).not.toContain(contentOf({ ...refund, keepsOffSale: false }));
  });

  test("has a reason", () => {
    expect(parseReason("  asked by phone\n")).toBe("asked by phone");
    expect(() => parseReason(" \n")).toThrow(/must say why/);
  });
});

describe("admission", () => {
  const order = { reservationId: "r", requestId: "q" };
  const judge = (...payments: Payment[]) => {
    try {
      const admission = admit(payments, order, fingerprint);
      return admission.kind === "new" ? `new ${admission.attempt}` : admission.kind;
    } catch (error) {
      return isRefusal(
        error,
        "LIMIT_EXCEEDED",
        "REQUEST_ID_REUSED",
        "PAYMENT_IN_PROGRESS",
        "RESERVATION_ALREADY_PAID",
      )
        ? error.reason
        : error;
    }
  };

  test.each<[string, Payment[], string]>([
    ["the first", [], "new 1"],
    ["the same order", [payment("UNKNOWN", { requestId: "q" })], "known"],
    ["the same order, failed", [payment("FAILED", { requestId: "q" })], "known"],
    [
      "the same order beside another that is live",
      [payment("FAILED", { requestId: "q" }), payment("CHARGING", { attempt: 2 })],
      "known",
    ],
    [
      "another content",
      [payment("CONFIRMED", { requestId: "q", fingerprint: { content: "x", token: "t" } })],
      "REQUEST_ID_REUSED",
    ],
    [
      "another token",
      [payment("CONFIRMED", { requestId: "q", fingerprint: { content: "c", token: "x" } })],
      "REQUEST_ID_REUSED",
    ],
    ["beside CREATED", [payment("CREATED")], "PAYMENT_IN_PROGRESS"],
    ["beside CHARGING", [payment("CHARGING")], "PAYMENT_IN_PROGRESS"],
    ["beside CHARGED", [payment("CHARGED")], "PAYMENT_IN_PROGRESS"],
    ["beside UNKNOWN", [payment("UNKNOWN")], "PAYMENT_IN_PROGRESS"],
    ["beside REFUND_DUE", [payment("REFUND_DUE")], "PAYMENT_IN_PROGRESS"],
    ["beside REFUNDING", [payment("REFUNDING")], "PAYMENT_IN_PROGRESS"],
    ["after REFUNDED", [payment("REFUNDED")], "new 2"],
    ["the same order, refunded", [payment("REFUNDED", { requestId: "q" })], "known"],
    ["after success", [payment("FAILED"), payment("CONFIRMED", { attempt: 2 })], "RESERVATION_ALREADY_PAID"],
    ["after FAILED", [payment("FAILED")], "new 2"],
    ["after FAILED and not aborted", [payment("FAILED", { isAbortPending: true })], "abort first"],
    ["after a gap", [payment("FAILED", { attempt: 3 })], "new 4"],
    ["after the last", [payment("FAILED", { attempt: MAX_ATTEMPTS })], "LIMIT_EXCEEDED"],
  ])("%s", (_, payments, expected) => {
    expect(judge(...payments)).toBe(expected);
  });
});

test("an order is recognised by all that it says, and only with the key", () => {
  const order = { reservationId: "r", token: "tok", currencyCode: "EUR", requestId: "q" };
  const key = createSecretKey(Buffer.alloc(32, 1));
  const print = fingerprintOf(order, key);
  expect(fingerprintOf({ ...order, requestId: null }, key)).toEqual(print);
  expect(fingerprintOf({ ...order, reservationId: "x" }, key).content).not.toBe(print.content);
  expect(fingerprintOf({ ...order, currencyCode: "USD" }, key).content).not.toBe(print.content);
  expect(fingerprintOf({ ...order, token: "tok2" }, key).token).not.toBe(print.token);
  expect(fingerprintOf(order, createSecretKey(Buffer.alloc(32, 2))).token).not.toBe(print.token);
});
