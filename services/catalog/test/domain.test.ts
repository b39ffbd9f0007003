import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { describe, expect, test } from "vitest";
import {
  addTicketType,
  cancelEvent,
  createEvent,
  publishEvent,
  updateEvent,
  updateTicketType,
} from "../domain/changes.ts";
import type { Event, EventState, TicketType, TicketTypeCommand } from "../domain/event.ts";
import { type LoweringCommand, lowersQuantity, takeBack } from "../domain/take-back.ts";

const NOW = new Date("2030-01-01T00:00:00Z");
const LATER = new Date("2030-02-01T00:00:00Z");
const LATEST = new Date("2030-03-01T00:00:00Z");

const typeOf = (ticketTypeId: string, overrides: Partial<TicketType> = {}): TicketType => ({
  ticketTypeId,
  position: 0,
  name: ticketTypeId,
  category: "regular",
  priceMinor: 1_000n,
  quantity: 100,
  maxPerReservation: 10,
  salesStart: null,
  salesEnd: null,
  ...overrides,
});

const eventOf = (state: EventState, ticketTypes: TicketType[] = [typeOf("a")]): Event => ({
  eventId: "e",
  version: 7n,
  name: "Name",
  description: "",
  venue: "Venue",
  startsAt: LATEST,
  timeZone: "Europe/Berlin",
  state,
  ticketTypes,
});

/** "INVALID_REQUEST event.name", say; "nothing" and the command's kind for what is decided. */
function verdict(decide: () => { command: { kind: string } | null } | undefined): string {
  try {
    const change = decide();
    return change === undefined ? "nothing" : (change.command?.kind ?? "no command");
  } catch (error) {
    if (!(error instanceof BoxofficeError)) throw error;
    return [error.reason, ...error.fields.map(({ field }) => field)].join(" ");
  }
}

describe("a new event", () => {
  const draft = (overrides: Partial<Event> = {}) => ({ ...eventOf("DRAFT"), ...overrides });
  const types = (...overrides: Partial<TicketType>[]) => ({
    ticketTypes: overrides.map((one, index) => typeOf(`type ${index}`, one)),
  });

  test.each([
    ["with one ticket type", {}, "no command"],
    ["without ticket types", { ticketTypes: [] }, "no command"],
    ["without a name", { name: "" }, "INVALID_REQUEST event.name"],
    ["that starts now", { startsAt: NOW }, "INVALID_REQUEST event.starts_at"],
    ["with a nameless type", types({}, { name: "" }), "INVALID_REQUEST event.ticket_types[1].name"],
    [
      "with a name twice",
      types({ name: "VIP" }, { name: "vip" }),
      "INVALID_REQUEST event.ticket_types[1].name",
    ],
    [
      "with a sale that ends as it starts",
      types({ salesStart: LATER, salesEnd: LATER }),
      "INVALID_REQUEST event.ticket_types[0].sales_end",
    ],
  ])("%s", (_, overrides, expected) => {
    expect(verdict(() => createEvent(draft(overrides), NOW))).toBe(expected);
  });

  test("is a draft of version 1, its types in their order, each of its name's category unless told", () => {
    const { event } = createEvent(
      draft(types({ name: "Große LOGE", category: "" }, { category: "vip" })),
      NOW,
    );
    expect(event).toMatchObject({ version: 1n, state: "DRAFT" });
    expect(event.ticketTypes.map(({ category, position }) => [category, position])).toEqual([
      ["große loge", 0],
      ["vip", 1],
    ]);
  });
});

test.each<[EventState, Record<string, string>]>([
  [
    "DRAFT",
    {
      publish: "open",
      cancel: "no command",
      rename: "no command",
      move: "no command",
      add: "no command",
      price: "no command",
      retype: "no command",
    },
  ],
  [
    "PUBLISHED",
    {
      publish: "nothing",
      cancel: "close",
      rename: "no command",
      move: "open",
      add: "change_ticket_type",
      price: "change_ticket_type",
      retype: "EVENT_NOT_DRAFT",
    },
  ],
  [
    "CANCELLED",
    {
      publish: "EVENT_CANCELLED",
      cancel: "nothing",
      rename: "EVENT_CANCELLED",
      move: "EVENT_CANCELLED",
      add: "EVENT_CANCELLED",
      price: "EVENT_CANCELLED",
      retype: "EVENT_CANCELLED",
    },
  ],
])("what a change of a %s event does", (state, expected) => {
  const event = eventOf(state);
  expect({
    publish: verdict(() => publishEvent(event, NOW)),
    cancel: verdict(() => cancelEvent(event)),
    rename: verdict(() => updateEvent(event, { name: "Other" }, "", NOW)),
    move: verdict(() => updateEvent(event, { startsAt: LATER }, "", NOW)),
    add: verdict(() => addTicketType(event, typeOf("b"))),
    price: verdict(() => updateTicketType(event, "a", { priceMinor: 5n }, "")),
    retype: verdict(() => updateTicketType(event, "a", { category: "other" }, "")),
  }).toEqual(expected);
});

describe("what is refused of a change", () => {
  const event = eventOf("PUBLISHED", [typeOf("a"), typeOf("b", { position: 1 })]);
  const many = Array.from({ length: 100 }, (_, position) => typeOf(`t${position}`, { position }));

  test.each([
    [
      "publishing without types",
      () => publishEvent(eventOf("DRAFT", []), NOW),
      "INVALID_REQUEST event.ticket_types",
    ],
    ["publishing the past", () => publishEvent(eventOf("DRAFT"), LATEST), "INVALID_REQUEST event.starts_at"],
    [
      "moving into the past",
      () => updateEvent(event, { startsAt: NOW }, "", NOW),
      "INVALID_REQUEST event.starts_at",
    ],
    ["renaming what is past", () => updateEvent(event, { name: "x" }, "", LATEST), "no command"],
    ["a blank name", () => updateEvent(event, { name: "" }, "", NOW), "INVALID_REQUEST event.name"],
    ["another version", () => updateEvent(event, { name: "x" }, "6", NOW), "VERSION_CONFLICT"],
    ["this version", () => updateEvent(event, { name: "x" }, "7", NOW), "no command"],
    ["what is so already", () => updateEvent(event, { name: "Name", startsAt: LATEST }, "", NOW), "nothing"],
    ["a type that is not there", () => updateTicketType(event, "c", {}, ""), "TICKET_TYPE_NOT_FOUND"],
    ["a type's other version", () => updateTicketType(event, "a", { quantity: 1 }, "8"), "VERSION_CONFLICT"],
    [
      "its own frozen name",
      () => updateTicketType(event, "a", { name: "a", quantity: 1 }, ""),
      "change_ticket_type",
    ],
    [
      "a name that another has",
      () => updateTicketType(event, "a", { name: "B" }, ""),
      "INVALID_REQUEST ticket_type.name",
    ],
    [
      "a sale that ends before it starts",
      () => updateTicketType(event, "a", { salesStart: LATEST, salesEnd: LATER }, ""),
      "INVALID_REQUEST ticket_type.sales_end",
    ],
    [
      "adding a name that is there",
      () => addTicketType(event, typeOf("A")),
      "INVALID_REQUEST ticket_type.name",
    ],
    [
      "the hundred and first type",
      () => addTicketType(eventOf("DRAFT", many), typeOf("x")),
      "INVALID_REQUEST ticket_type",
    ],
  ])("%s", (_, decide, expected) => {
    expect(verdict(decide)).toBe(expected);
  });
});

describe("taking a refused change back", () => {
  const before = typeOf("a", { quantity: 100 });
  const lowered = typeOf("a", { quantity: 50, priceMinor: 2_000n });
  const refused: LoweringCommand = { kind: "change_ticket_type", ticketType: lowered, previous: before };
  const change = (previous: TicketType, overrides: Partial<TicketType>): TicketTypeCommand => ({
    kind: "change_ticket_type",
    previous,
    ticketType: { ...previous, ...overrides },
  });

  test("restores the ticket type in a new version, and tells the sale so", () => {
    const { event, command, ticketTypes, rebased } = takeBack(eventOf("PUBLISHED", [lowered]), refused, []);
    expect(event).toMatchObject({ version: 8n, ticketTypes: [before] });
    expect(ticketTypes).toEqual([before]);
    expect(command).toEqual({ kind: "change_ticket_type", ticketType: before, previous: before });
    expect(rebased).toEqual([]);
  });

  test("keeps what later changes did themselves, and the types they did not touch", () => {
    const ends = change(lowered, { salesEnd: LATER });
    const raised = change(ends.ticketType, { quantity: 120 });
    const other = change(typeOf("b", { position: 1 }), { quantity: 1 });
    const { event, rebased } = takeBack(
      eventOf("PUBLISHED", [raised.ticketType, other.ticketType]),
      refused,
      [
        { version: 5n, command: ends },
        { version: 6n, command: other },
        { version: 7n, command: raised },
      ],
    );
    const withEnd = { ...before, salesEnd: LATER };
    expect(rebased).toEqual([
      { version: 5n, command: { kind: "change_ticket_type", previous: before, ticketType: withEnd } },
      {
        version: 7n,
        command: { kind: "change_ticket_type", previous: withEnd, ticketType: { ...withEnd, quantity: 120 } },
      },
    ]);
    expect(event.ticketTypes).toEqual([{ ...withEnd, quantity: 120 }, other.ticketType]);
  });

  test("a later window stays whole", () => {
    const early = { ...before, salesEnd: LATER };
    const shifted = change(lowered, { salesStart: LATER, salesEnd: LATEST });
    const [only] = takeBack(eventOf("PUBLISHED", [shifted.ticketType]), { ...refused, previous: early }, [
      { version: 9n, command: shifted },
    ]).rebased;
    expect(only?.command).toMatchObject({ ticketType: { salesStart: LATER, salesEnd: LATEST } });
  });

  test("an opening behind it opens with what holds again", () => {
    const [only] = takeBack(eventOf("PUBLISHED", [lowered]), refused, [
      { version: 9n, command: { kind: "open", startsAt: LATER, ticketTypes: [lowered, typeOf("b")] } },
    ]).rebased;
    expect(only?.command).toMatchObject({ ticketTypes: [before, typeOf("b")] });
  });

  test("of a cancelled event the sale hears no more", () => {
    expect(takeBack(eventOf("CANCELLED", [lowered]), refused, []).command).toBeNull();
  });

  test.each([
    ["a lower quantity", { quantity: 99 }, true],
    ["the same", {}, false],
    ["a higher one", { quantity: 101 }, false],
  ])("%s can be the cause: %s", (_, overrides, expected) => {
    expect(lowersQuantity(change(before, overrides))).toBe(expected);
  });
});
