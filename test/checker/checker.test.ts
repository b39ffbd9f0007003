import { ReservationState } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { FaultBoxOffice } from "../faults/box-office.ts";
import {
  connectSale,
  itemsOf,
  newId,
  type OpenedEvent,
  openEvent,
  type SaleClients,
} from "../faults/sale.ts";
import { until } from "../faults/until.ts";
import { findViolations, findViolationsIn } from "./check.ts";
import { type Call, History, toldBy } from "./history.ts";

let office: FaultBoxOffice;
let event: OpenedEvent;
let other: OpenedEvent;
/** A reservation in each state; `refunded` is cancelled too. */
let ids: Record<"held" | "paying" | "paid" | "expired" | "cancelled" | "refunded" | "alone", string>;
/** Of an event in which nobody else wants anything. */
let lonely: OpenedEvent;
let requestId: string;

/** A small sale in which everything has happened once, by the product's own hand. */
beforeAll(async () => {
  const servers = { ownerUrl: inject("ownerUrl"), natsUrl: inject("natsUrl") };
  office = await FaultBoxOffice.open(servers, ["reservation"]);
  const [steady, hasty] = await Promise.all([
    office.start("reservation", { name: "steady" }).then((replica) => connectSale(office, replica)),
    office
      .start("reservation", { name: "hasty", settings: { HOLD_SECONDS: 1, PAY_MARGIN_SECONDS: 0 } })
      .then((replica) => connectSale(office, replica)),
  ]);
  event = await openEvent(steady, [100, 50]);
  other = await openEvent(steady, [10]);
  lonely = await openEvent(steady, [3]);
  requestId = newId();
  const expired = await hold(hasty);
  ids = {
    held: await hold(steady, requestId),
    paying: await pay(steady, "begin"),
    paid: await pay(steady, "confirm"),
    refunded: await pay(steady, "release"),
    cancelled: await hold(steady),
    expired,
    alone: await holdAlone(steady),
  };
  await steady.buyer.cancelReservation({ reservationId: ids.cancelled });
  await until("the hold that ended is swept", 15_000, async () => {
    const text = "select 1 from reservation.reservations where reservation_id = $1 and state = 'EXPIRED'";
    return (await office.database.query({ text, values: [expired] })).length === 1;
  });
  await steady.buyer.getReservation({ reservationId: expired });
});

afterAll(() => office?.end());

async function hold({ buyer }: SaleClients, id = ""): Promise<string> {
  const items = itemsOf(event, 2, 1);
  const { reservation } = await buyer.reserve({ eventId: event.eventId, items, requestId: id });
  return reservation?.reservationId ?? "";
}

async function holdAlone({ buyer }: SaleClients): Promise<string> {
  const wish = { eventId: lonely.eventId, items: itemsOf(lonely, 3), requestId: newId() };
  return (await buyer.reserve(wish)).reservation?.reservationId ?? "";
}

async function pay(clients: SaleClients, until: "begin" | "confirm" | "release"): Promise<string> {
  const payment = { reservationId: await hold(clients), paymentId: newId() };
  await clients.payment.beginPayment(payment);
  if (until !== "begin") await clients.payment.confirmPayment(payment);
  if (until === "release") await clients.payment.releasePaid(payment);
  return payment.reservationId;
}

test("finds nothing where all is well", async () => {
  const { database, history } = office;
  expect(await findViolations({ database, history })).toEqual([]);
  expect(await findViolations({ database, history, eventIds: [other.eventId] })).toEqual([]);
  expect(history.calls.length).toBeGreaterThan(10);
});

/** Whatever the schema itself would refuse, an other schema or a restored backup may hold. */
const WITHOUT_CONSTRAINTS = `
  alter table reservation.ticket_types drop constraint stock_adds_up;
  alter table reservation.ticket_types drop constraint ticket_types_available_check;
  alter table reservation.reservations drop constraint reservations_request_id;
  alter table reservation.reservations drop constraint reservations_state_check;
  alter table reservation.reservations drop constraint paying_needs_payment;
  alter table reservation.reservations drop constraint held_has_no_payment;
  alter table reservation.reservations drop constraint paid_has_time;
  alter table reservation.reservations drop constraint closed_has_time;`;

const change = (id: keyof typeof ids, set: string) =>
  `update reservation.reservations set ${set} where reservation_id = '{${id}}'`;
const stock = (set: string) => `update reservation.ticket_types set ${set} where ticket_type_id = '{type}'`;

describe("in the schema it finds", () => {
  test.each([
    ["stock that does not add up", stock("available = available - 1"), /does not add up: 9\d available/],
    ["a count below zero", stock("available = -1, quantity = held + paid - 1"), /below zero: -1 available/],
    ["more sold than there is", stock("quantity = 1, available = 1 - held - paid"), /oversold: \d+ .* of 1$/],
    [
      "tickets held by nobody",
      stock("held = held + 1, available = available - 1"),
      /5 are booked as held, and .* hold 4/,
    ],
    [
      "tickets paid by nobody",
      stock("paid = paid + 1, available = available - 1"),
      /3 are booked as paid, and .* paid 2/,
    ],
    ["a state that does not exist", change("held", "state = 'LOST'"), /is in the state LOST/],
    ["a hold with a payment", change("held", "payment_id = gen_random_uuid()"), /is HELD and has a payment/],
    ["a payment under way of nobody", change("paying", "payment_id = null"), /is PAYING and lacks a payment/],
    ["a sale without its time", change("paid", "paid_at = null"), /is PAID and lacks a time of payment/],
    ["an end that is missing", change("cancelled", "closed_at = null"), /is CANCELLED and lacks an end/],
    ["an end too many", change("held", "closed_at = now()"), /is HELD and has an end/],
    [
      "a hold that ended too early",
      change("expired", "closed_at = created_at"),
      /expired 1000 ms before its time/,
    ],
    [
      "a hold cancelled after its end",
      change("cancelled", "closed_at = expires_at + interval '1 ms'"),
      /was cancelled 1 ms after its time/,
    ],
    ["a hold that never was", change("held", "expires_at = created_at"), /ends before it begins/],
    [
      "a payment before the hold",
      change("paid", "paid_at = created_at - interval '1 s'"),
      /was paid before it was made/,
    ],
    ["a state without its change", change("paid", "version = 1"), /is PAID in version 1/],
    ["a wrong total", change("held", "total_minor = 1"), /costs 1, and its items cost 3100/],
    [
      "items of another event's",
      "update reservation.reservation_items set ticket_type_id = '{otherType}' where ticket_type_id = '{type}' and reservation_id = '{held}'",
      /of type .*, which is not of its event/,
    ],
    ["no items", "delete from reservation.reservation_items where reservation_id = '{held}'", /has no items/],
    [
      "items of no reservation",
      "insert into reservation.reservation_items values (gen_random_uuid(), '{type}', 1, 1000)",
      /belongs to reservation .*, which does not exist/,
    ],
    [
      "an event that is not on sale",
      change("held", "event_id = gen_random_uuid()"),
      /is of event .*, which is not on sale/,
    ],
    [
      "a request id that made two",
      change("paying", "request_id = '{requestId}', request_hash = 'x'"),
      /made 2 reservations/,
    ],
    [
      "an acknowledged hold that is gone",
      "delete from reservation.reservations where reservation_id = '{held}'",
      /Reserve told of reservation .*, which does not exist/,
    ],
    [
      "a reservation that nobody made",
      `insert into reservation.reservations select (jsonb_populate_record(r, '{"reservation_id": "00000000-0000-7000-8000-000000000000", "request_id": null, "request_hash": null}')).* from reservation.reservations r where reservation_id = '{held}'`,
      /00000000-0000-7000-8000-000000000000 exists, and no call can have made it/,
    ],
    [
      "a sale that was taken back",
      change("paid", "state = 'HELD', payment_id = null, paid_at = null"),
      /ConfirmPayment told .* that it is PAID: it is HELD/,
    ],
    [
      "a sale to somebody else",
      change("paid", "payment_id = gen_random_uuid()"),
      /that its payment is .*: it is/,
    ],
    [
      "an end that moved",
      change("held", "expires_at = expires_at + interval '1 s'"),
      /Reserve told .* that its end is/,
    ],
    [
      "a cancelled hold that came back",
      change("cancelled", "state = 'HELD', closed_at = null"),
      /told .* that it is CANCELLED: it is HELD/,
    ],
    [
      "a change that was not announced",
      "delete from reservation.outbox where outbox_id = (select outbox_id from reservation.outbox order by outbox_id desc limit 1)",
      /has version \d, and versions .* were announced/,
    ],
    [
      "a quantity that was not announced",
      stock("quantity = quantity + 1, available = available + 1"),
      /its quantity is 101, and it was announced as 100/,
    ],
    [
      "a state that was announced otherwise",
      change("paying", "state = 'EXPIRED', payment_id = null, closed_at = expires_at"),
      /is EXPIRED, and was announced as PAYING/,
    ],
  ])("%s", async (_name, sql, expected) => {
    const text = sql
      .replaceAll("{type}", event.types[0] ?? "")
      .replaceAll("{otherType}", other.types[0] ?? "")
      .replaceAll("{requestId}", requestId)
      .replaceAll(/\{(\w+)\}/g, (_match, id: keyof typeof ids) => ids[id]);
    const undo = new Error("undo");
    let violations: string[] = [];
    const corrupted = office.database.transaction(async (tx) => {
      await tx.query({ text: WITHOUT_CONSTRAINTS });
      await tx.query({ text });
      violations = await findViolationsIn(tx, { history: office.history });
      throw undo;
    });
    await expect(corrupted).rejects.toBe(undo);
    expect(violations).toContainEqual(expect.stringMatching(expected));
  });
});

describe("in what clients were told it finds", () => {
  const callOf = (history: History, method: string, reservationId: string): Call => {
    const found = history.calls.find(
      (call) => call.method === method && JSON.stringify(call, bigints).includes(reservationId),
    );
    if (found === undefined) throw new Error(`nobody called ${method} about ${reservationId}`);
    return found;
  };

  test.each([
    [
      "a grant of something else",
      (history: History) => {
        const { request } = callOf(history, "Reserve", ids.held);
        Object.assign(request, { items: itemsOf(event, 7) });
      },
      /was asked for .*: 7 of .*, and granted .*: .*1 of/,
    ],
    [
      "a request id with two answers",
      (history: History) => {
        const held = callOf(history, "Reserve", ids.held);
        history.calls.push({ ...held, told: callOf(history, "Reserve", ids.paying).told });
      },
      /was answered with several reservations/,
    ],
    [
      "a request id refused for nothing",
      (history: History) => {
        const held = callOf(history, "Reserve", ids.held);
        history.calls.push({ ...held, told: { kind: "refused", reason: "REQUEST_ID_REUSED", metadata: {} } });
      },
      /refused as reused, and was used for one thing only/,
    ],
    [
      "a request id that is told that its own tickets are sold out",
      (history: History) => {
        const held = callOf(history, "Reserve", ids.alone);
        const metadata = { ticket_type_id: lonely.types[0] ?? "", available: "0" };
        history.calls.push({ ...held, told: { kind: "refused", reason: "SOLD_OUT", metadata } });
      },
      /was told that .* is sold out, which it has itself/,
    ],
    [
      "a story that cannot have happened",
      (history: History) => {
        const expired = callOf(history, "GetReservation", ids.expired);
        const { told } = callOf(history, "Reserve", ids.expired);
        const later = { startedAtMs: expired.endedAtMs + 1, endedAtMs: expired.endedAtMs + 2 };
        history.calls.push({ ...expired, ...later, told });
      },
      /GetReservation told EXPIRED, and later GetReservation told HELD/,
    ],
    [
      "a hold by a call that was refused",
      (history: History) => {
        const call = callOf(history, "Reserve", ids.held);
        call.told = { kind: "refused", reason: "SOLD_OUT", metadata: {} };
      },
      /exists, and no call can have made it/,
    ],
    [
      "a state that is not so",
      (history: History) => {
        const { told } = callOf(history, "CancelReservation", ids.cancelled);
        const paid = { state: ReservationState.PAID };
        if (told.kind === "answered")
          Object.assign((told.answer as { reservation?: object }).reservation ?? {}, paid);
      },
      /CancelReservation told .* that it is PAID: it is CANCELLED|that its payment is/,
    ],
  ])("%s", async (_name, alter, expected) => {
    const history = copyOf(office.history);
    alter(history);
    const violations = await findViolations({ database: office.database, history });
    expect(violations).toContainEqual(expect.stringMatching(expected));
  });

  test("nothing in a hold by a call whose answer was lost", async () => {
    const history = copyOf(office.history);
    callOf(history, "Reserve", ids.held).told = toldBy(new Error("connection lost"));
    expect(await findViolations({ database: office.database, history })).toEqual([]);
  });
});

const bigints = (_key: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);

function copyOf({ calls }: History): History {
  const copy = new History();
  copy.calls.push(...structuredClone(calls));
  return copy;
}
