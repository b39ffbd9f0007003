import { PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BoxOffice, newId, openBoxOffice, type Replica, reasonOf } from "./harness.ts";
import { refusal } from "./sales.ts";

let office: BoxOffice;
let replica: Replica;
let reservations: Record<"paid" | "declinedThenPaid" | "unknown" | "owed" | "refused", string>;

beforeAll(async () => {
  office = await openBoxOffice();
  replica = await office.start();
  const hold = () => office.sales.hold();
  reservations = { paid: hold(), declinedThenPaid: hold(), unknown: hold(), owed: hold(), refused: hold() };
  const pay = (reservationId: string, token = "tok") =>
    replica.buyer.payReservation({ reservationId, token }).catch(() => undefined);
  await pay(reservations.paid);
  await pay(reservations.declinedThenPaid, "card_error");
  await pay(reservations.declinedThenPaid);
  await pay(reservations.unknown, "break");
  office.sales.fail("confirm", refusal("RESERVATION_CANCELLED"));
  await pay(reservations.owed);
  office.sales.fail("begin", refusal("RESERVATION_EXPIRED"));
  await pay(reservations.refused);
});

afterAll(() => office.end());

const list = async (request: Parameters<Replica["operator"]["listPayments"]>[0]) =>
  (await replica.operator.listPayments(request)).payments.map(({ reservationId, state }) => [
    Object.entries(reservations).find(([, id]) => id === reservationId)?.[0],
    Object.entries(PaymentState).find(([, value]) => value === state)?.[0],
  ]);

test("all of them, newest first", async () => {
  expect(await list({})).toEqual([
    ["refused", "FAILED"],
    ["owed", "REFUNDING"],
    ["unknown", "UNKNOWN"],
    ["declinedThenPaid", "SUCCEEDED"],
    ["declinedThenPaid", "FAILED"],
    ["paid", "SUCCEEDED"],
  ]);
});

test("by state", async () => {
  const { UNKNOWN, REFUNDING, REFUNDED, PROCESSING, SUCCEEDED } = PaymentState;
  expect(await list({ states: [UNKNOWN, REFUNDING] })).toEqual([
    ["owed", "REFUNDING"],
    ["unknown", "UNKNOWN"],
  ]);
  expect(await list({ states: [SUCCEEDED] })).toHaveLength(2);
  expect(await list({ states: [REFUNDED] })).toEqual([]);
  expect(await list({ states: [PROCESSING] })).toEqual([]);
});

test("by event and by reservation", async () => {
  const { declinedThenPaid, refused } = reservations;
  const { eventId } = office.sales.get(declinedThenPaid);
  expect(await list({ eventId: eventId.toUpperCase() })).toHaveLength(2);
  expect(await list({ reservationId: declinedThenPaid.toUpperCase() })).toHaveLength(2);
  expect(await list({ eventId, states: [PaymentState.FAILED] })).toEqual([["declinedThenPaid", "FAILED"]]);
  expect(await list({ eventId, reservationId: refused })).toEqual([]);
  expect(await list({ eventId: newId() })).toEqual([]);
});

test("page by page, each once", async () => {
  const seen: string[] = [];
  let pageToken = "";
  do {
    const answer = await replica.operator.listPayments({ pageSize: 2, pageToken });
    expect(answer.payments.length).toBeLessThanOrEqual(2);
    seen.push(...answer.payments.map(({ paymentId }) => paymentId));
    pageToken = answer.nextPageToken;
  } while (pageToken);
  expect(seen).toEqual((await replica.operator.listPayments({})).payments.map(({ paymentId }) => paymentId));
  expect(new Set(seen).size).toBe(6);
});

test.each<[string, Parameters<Replica["operator"]["listPayments"]>[0]]>([
  ["a page token that is none", { pageToken: "nonsense" }],
  ["too large a page", { pageSize: 501 }],
  ["a state that is not there", { states: [99 as PaymentState] }],
  ["an event id that is none", { eventId: "x" }],
])("%s is INVALID_REQUEST", async (_, request) => {
  expect(await reasonOf(replica.operator.listPayments(request))).toBe("INVALID_REQUEST");
});

test("only operators list payments", async () => {
  expect(await reasonOf(replica.buyer.listPayments({}))).toBe("UNAUTHENTICATED");
});

test.each([
  ["no token", { token: "" }],
  ["a token that is too long", { token: "x".repeat(501) }],
  ["a reservation id that is none", { reservationId: "1" }],
  ["a request id that is none", { requestId: "1" }],
  ["a long currency", { currencyCode: "E".repeat(33) }],
])("paying with %s is INVALID_REQUEST", async (_, change) => {
  const request = { reservationId: newId(), token: "tok", ...change };
  expect(await reasonOf(replica.buyer.payReservation(request))).toBe("INVALID_REQUEST");
});
