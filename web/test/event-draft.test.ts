import type { Event } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { centsOf, type EventDraft, eventOf } from "../src/operations/event-draft.ts";

const DRAFT: EventDraft = {
  name: " Winter Evenings ",
  description: "",
  venue: "Konzerthaus",
  date: "2031-07-01",
  time: "19:30",
  timeZone: "Europe/Vienna",
  types: [
    {
      key: 0,
      name: "Gallery",
      category: "",
      price: "28,5",
      quantity: "420",
      most: "6",
      salesStart: "2031-01-15T10:00",
    },
  ],
};

test("what is typed becomes an event, in the time zone of the place", () => {
  const event = eventOf(DRAFT) as Event;
  expect(event).toMatchObject({ name: "Winter Evenings", timeZone: "Europe/Vienna" });
  expect(event.startsAt && timestampDate(event.startsAt).toISOString()).toBe("2031-07-01T17:30:00.000Z");
  const [type] = event.ticketTypes;
  expect(type).toMatchObject({ price: { minorUnits: 2850n }, quantity: 420, maxPerReservation: 6 });
  expect(type?.salesStart && timestampDate(type.salesStart).toISOString()).toBe("2031-01-15T09:00:00.000Z");
});

test("a time zone or a price that there is not is told", () => {
  expect(eventOf({ ...DRAFT, timeZone: "Europe/Atlantis" })).toBe("badZone");
  const types = DRAFT.types.map((type) => ({ ...type, price: "cheap" }));
  expect(eventOf({ ...DRAFT, types })).toBe("badPrice");
});

test.each([
  ["49", 4900n],
  ["49.5", 4950n],
  [" 49,05 ", 4905n],
  ["0", 0n],
  ["", undefined],
  ["4.999", undefined],
  ["1e3", undefined],
  ["-3", undefined],
  ["1.234,50", undefined],
])("a price that reads %j", (typed, cents) => {
  expect(centsOf(typed)).toBe(cents);
});
