import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Method, Refusal } from "./api.ts";
import { concertOf, money, type Stage } from "./events.ts";
import type { Journey } from "./steps.ts";

type Case = [what: string, method: Method, message: object, expected: Refusal];

/** Everything a client can get wrong: each is a typed error that names the field, and nothing is written. */
export async function sendBadInput(journey: Journey, stage: Stage): Promise<void> {
  const { anyone, operator, step } = journey;
  const before = await fingerprint(journey, stage);
  const groups: [who: string, api: Journey["anyone"], cases: Case[]][] = [
    ["buyers", anyone, [...badReservations(stage), ...badPayments(), ...badReads()]],
    ["operators", operator, [...badEvents(journey.run, stage), ...badOperations()]],
  ];
  for (const [who, api, cases] of groups) {
    await step(`${cases.length} mistakes of ${who}`, async () => {
      for (const [what, method, message, expected] of cases) {
        await api.refused(method, message, expected).catch((error: Error) => {
          throw new Error(`${what}: ${error.message}`, { cause: error });
        });
      }
    });
  }
  await step("nothing of that was written", async () => {
    assert.deepEqual(await fingerprint(journey, stage), before);
  });
}

/** Everything that could show a trace of what was refused. */
async function fingerprint({ operator, run }: Journey, { concert, reading }: Stage): Promise<object[]> {
  const both = [concert, reading].map(({ eventId }) => eventId);
  return Promise.all([
    operator.ok<object>("catalog/ListEvents", { query: run }),
    ...both.map((eventId) => operator.ok<object>("reservation/GetAvailability", { eventId })),
    ...both.map(async (eventId) =>
      withoutTimes(await operator.ok<object>("reservation/ListReservations", { eventId })),
    ),
    ...both.map((eventId) => operator.ok<object>("payment/ListPayments", { eventId })),
  ]);
}

const wrong = (field: string): Refusal => ({ reason: "INVALID_REQUEST", code: "invalid_argument", field });
const missing = (what: string): Refusal => ({ reason: `${what}_NOT_FOUND`, code: "not_found" });

function badReservations({ concert, reading }: Stage): Case[] {
  const { eventId, ticketTypes } = concert;
  const [standing = "", , , balcony = ""] = ticketTypes.map(({ ticketTypeId }) => ticketTypeId);
  const reserve = (what: string, change: object, expected: Refusal): Case => [
    what,
    "reservation/Reserve",
    { eventId, items: [{ ticketTypeId: standing, quantity: 1 }], ...change },
    expected,
  ];
  const quantity = (value: unknown) => ({ items: [{ ticketTypeId: standing, quantity: value }] });
  const frontRow = reading.ticketTypes[0]?.ticketTypeId;
  return [
    reserve("an unknown event", { eventId: randomUUID() }, missing("EVENT")),
    reserve("a malformed event id", { eventId: "42" }, wrong("event_id")),
    reserve("no event id", { eventId: "" }, wrong("event_id")),
    reserve(
      "an unknown type",
      { items: [{ ticketTypeId: randomUUID(), quantity: 1 }] },
      missing("TICKET_TYPE"),
    ),
    reserve(
      "a type of another event",
      { items: [{ ticketTypeId: frontRow, quantity: 1 }] },
      missing("TICKET_TYPE"),
    ),
    reserve(
      "a malformed type",
      { items: [{ ticketTypeId: "x", quantity: 1 }] },
      wrong("items[0].ticket_type_id"),
    ),
    reserve("no items", { items: [] }, wrong("items")),
    reserve(
      "the same type twice",
      { items: [1, 2].map((each) => ({ ticketTypeId: standing, quantity: each })) },
      wrong("items"),
    ),
    reserve("quantity 0", quantity(0), wrong("items[0].quantity")),
    reserve("a quantity below 0", quantity(-1), wrong("items[0].quantity")),
    reserve("a fractional quantity", quantity(1.5), wrong("items[0].quantity")),
    reserve("a huge quantity", quantity(2_147_483_647), wrong("items[0].quantity")),
    reserve("a quantity that no int32 holds", quantity(1e15), wrong("items[0].quantity")),
    reserve("a quantity in words", quantity("two"), wrong("items[0].quantity")),
    reserve("more than are allowed", quantity(11), { reason: "LIMIT_EXCEEDED" }),
    reserve(
      "a sale not open",
      { items: [{ ticketTypeId: balcony, quantity: 1 }] },
      { reason: "SALES_NOT_OPEN" },
    ),
    reserve("a malformed request id", { requestId: "1" }, wrong("request_id")),
    reserve("a malformed address", { customer: { email: "ada at example" } }, wrong("customer.email")),
    reserve("a long name", { customer: { name: "x".repeat(50_000) } }, wrong("customer.name")),
    reserve(
      "a million characters",
      { customer: { name: "x".repeat(1_000_000) } },
      { reason: "INVALID_REQUEST" },
    ),
    reserve("an unprintable name", { customer: { name: "a\u0000b" } }, wrong("customer.name")),
  ];
}

function badPayments(): Case[] {
  const reservationId = randomUUID();
  const pay: Method = "payment/PayReservation";
  return [
    ["an unknown reservation", pay, { reservationId, token: "visa" }, missing("RESERVATION")],
    ["a malformed reservation", pay, { reservationId: "mine", token: "visa" }, wrong("reservation_id")],
    ["no card", pay, { reservationId }, wrong("token")],
    ["a long token", pay, { reservationId, token: "x".repeat(501) }, wrong("token")],
    [
      "a long currency",
      pay,
      { reservationId, token: "visa", currencyCode: "E".repeat(33) },
      wrong("currency_code"),
    ],
    ["a malformed request id", pay, { reservationId, token: "visa", requestId: "1" }, wrong("request_id")],
    ["an unknown payment", "payment/GetPayment", { paymentId: randomUUID() }, missing("PAYMENT")],
    ["a malformed payment", "payment/GetPayment", { paymentId: "" }, wrong("payment_id")],
  ];
}

function badReads(): Case[] {
  return [
    ["an unknown event", "catalog/GetEvent", { eventId: randomUUID() }, missing("EVENT")],
    ["a malformed event id", "catalog/GetEvent", { eventId: "../etc" }, wrong("event_id")],
    ["an unknown event", "reservation/GetAvailability", { eventId: randomUUID() }, missing("EVENT")],
    ["a malformed event id", "reservation/GetAvailability", { eventId: "{}" }, wrong("event_id")],
    [
      "an unknown reservation",
      "reservation/GetReservation",
      { reservationId: randomUUID() },
      missing("RESERVATION"),
    ],
    [
      "an unknown reservation",
      "reservation/CancelReservation",
      { reservationId: randomUUID() },
      missing("RESERVATION"),
    ],
    [
      "a malformed reservation",
      "reservation/GetReservation",
      { reservationId: "1" },
      wrong("reservation_id"),
    ],
    ["a page of less than none", "catalog/ListEvents", { pageSize: -1 }, wrong("page_size")],
    ["a page of too many", "catalog/ListEvents", { pageSize: 501 }, wrong("page_size")],
    ["a page that is none", "catalog/ListEvents", { pageToken: "page 2" }, wrong("page_token")],
    ["a long search", "catalog/ListEvents", { query: "x".repeat(201) }, wrong("query")],
    ["a time that is none", "catalog/ListEvents", { startsAfter: "tomorrow" }, wrong("starts_after")],
  ];
}

function badEvents(run: string, { concert }: Stage): Case[] {
  const good = concertOf(run);
  const [type] = good.ticketTypes;
  const create = (what: string, change: object, field: string): Case => [
    what,
    "catalog/CreateEvent",
    { event: { ...good, ...change } },
    wrong(field),
  ];
  const withType = (what: string, change: object, field: string): Case =>
    create(what, { ticketTypes: [{ ...type, ...change }] }, `event.ticket_types[0].${field}`);
  const { eventId } = concert;
  return [
    ["no event", "catalog/CreateEvent", {}, wrong("event")],
    create("no name", { name: "" }, "event.name"),
    create("a long name", { name: "x".repeat(201) }, "event.name"),
    create("a long description", { description: "x".repeat(50_000) }, "event.description"),
    create("an event in the past", { startsAt: "2001-01-01T20:00:00Z" }, "event.starts_at"),
    create("no date", { startsAt: undefined }, "event.starts_at"),
    create("a date that is none", { startsAt: "31.12.2030" }, "event.starts_at"),
    create("a time zone that is none", { timeZone: "Europe/Atlantis" }, "event.time_zone"),
    create("no time zone", { timeZone: "" }, "event.time_zone"),
    withType("a price below 0", { price: money(-1) }, "price.minor_units"),
    withType("a price in dollars", { price: { ...money(100), currencyCode: "USD" } }, "price.currency_code"),
    withType(
      "a price in no currency",
      { price: { ...money(100), currencyCode: "euro" } },
      "price.currency_code",
    ),
    withType(
      "a price in fractions of a cent",
      { price: { ...money(100), minorUnits: "0.5" } },
      "price.minor_units",
    ),
    withType("no price", { price: undefined }, "price"),
    withType("a quantity below 0", { quantity: -1 }, "quantity"),
    withType("a huge quantity", { quantity: 10_000_001 }, "quantity"),
    withType("a fractional quantity", { quantity: 0.5 }, "quantity"),
    withType("no name of a type", { name: " " }, "name"),
    withType(
      "a sale that ends first",
      { salesStart: good.startsAt, salesEnd: "2001-01-01T00:00:00Z" },
      "sales_end",
    ),
    create("the same type twice", { ticketTypes: [type, type] }, "event.ticket_types[1].name"),
    ["an unknown event", "catalog/PublishEvent", { eventId: randomUUID() }, missing("EVENT")],
    ["an unknown event", "catalog/CancelEvent", { eventId: randomUUID() }, missing("EVENT")],
    [
      "a field that is none",
      "catalog/UpdateEvent",
      { eventId, event: { name: "x" }, updateMask: "etag" },
      wrong("update_mask"),
    ],
    [
      "somebody was faster",
      "catalog/UpdateEvent",
      { eventId, event: { name: "x" }, updateMask: "name", etag: "0" },
      { reason: "VERSION_CONFLICT", code: "aborted" },
    ],
    ["no type", "catalog/AddTicketType", { eventId }, wrong("ticket_type")],
  ];
}

function badOperations(): Case[] {
  return [
    ["an unknown event", "reservation/PauseSales", { eventId: randomUUID() }, missing("EVENT")],
    ["a malformed event id", "reservation/ResumeSales", { eventId: "all" }, wrong("event_id")],
    ["a malformed event id", "reservation/ListReservations", { eventId: "all" }, wrong("event_id")],
    ["a malformed reservation", "payment/ListPayments", { reservationId: "all" }, wrong("reservation_id")],
    ["an unknown event", "stats/GetEventStats", { eventId: randomUUID() }, missing("EVENT")],
    ["a malformed event id", "stats/GetEventStats", { eventId: "all" }, wrong("event_id")],
    ["no category", "stats/GetCategoryStats", { category: "" }, wrong("category")],
  ];
}

/** How much time is left of a hold is no trace of anything. */
function withoutTimes(answer: object): object {
  return JSON.parse(JSON.stringify(answer, (key, value) => (key === "expiresIn" ? undefined : value)));
}
