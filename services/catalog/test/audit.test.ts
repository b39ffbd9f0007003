import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createCatalog,
  createEvent,
  eventInit,
  inDays,
  newId,
  only,
  type Replica,
  refusalOf,
} from "./harness.ts";

let catalog: Awaited<ReturnType<typeof createCatalog>>;
let replica: Replica;

beforeAll(async () => {
  catalog = await createCatalog();
  replica = await catalog.start();
});

afterAll(() => catalog?.end());

const entriesOf = async (eventId: string) =>
  (await replica.operator.listAuditEntries({ filter: { eventId } })).entries.reverse();

test("every act says who, what, when and why, and what it changed", async () => {
  const { eventId, ticketTypes } = await createEvent(replica);
  const { operator } = replica;
  await operator.updateEvent({
    eventId,
    event: { name: "A longer evening", startsAt: inDays(31) },
    updateMask: { paths: ["name", "starts_at"] },
    reason: "the band stays on",
  });
  await operator.publishEvent({ eventId, reason: "ten o'clock" });
  const ticketTypeId = ticketTypes[0]?.ticketTypeId ?? "";
  const quantity = { ticketType: { quantity: 120 }, updateMask: { paths: ["quantity"] } };
  await operator.updateTicketType({ eventId, ticketTypeId, ...quantity });
  const { event } = await operator.addTicketType({
    eventId,
    ticketType: { name: "Box", price: { currencyCode: "EUR", minorUnits: 900n }, quantity: 4 },
  });
  await operator.cancelEvent({ eventId, reason: "storm" });

  const entries = await entriesOf(eventId);
  expect(entries.map(({ actor, action, target, reason }) => [actor, action, target, reason])).toEqual([
    ["operator", "CreateEvent", eventId, ""],
    ["operator", "UpdateEvent", eventId, "the band stays on"],
    ["operator", "PublishEvent", eventId, "ten o'clock"],
    ["operator", "UpdateTicketType", ticketTypeId, ""],
    ["operator", "AddTicketType", event?.ticketTypes[2]?.ticketTypeId, ""],
    ["operator", "CancelEvent", eventId, "storm"],
  ]);
  expect(entries.map(({ details }) => details)).toEqual([
    { name: "An evening", ticket_types: "100 Regular, 100 VIP" },
    {
      name: "An evening → A longer evening",
      starts_at: `${isoIn(30)} → ${isoIn(31)}`,
    },
    { state: "DRAFT → PUBLISHED" },
    { ticket_type: "Regular", quantity: "100 → 120" },
    expect.objectContaining({ ticket_type: "Box", quantity: "4", price_minor: "900" }),
    { state: "PUBLISHED → CANCELLED" },
  ]);
  const times = entries.map(({ time }) => timestampDate(only(time)).getTime());
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test("what was refused, repeated or changed nothing leaves no entry", async () => {
  const requestId = newId();
  const { event } = await replica.operator.createEvent({ event: eventInit(), requestId });
  await replica.operator.createEvent({ event: eventInit(), requestId });
  const eventId = event?.eventId ?? "";
  await replica.operator.cancelEvent({ eventId });
  await replica.operator.cancelEvent({ eventId });
  await refusalOf(replica.operator.publishEvent({ eventId }));
  expect((await entriesOf(eventId)).map(({ action }) => action)).toEqual(["CreateEvent", "CancelEvent"]);
});

test("entries are listed newest first, page by page, and by what they are about", async () => {
  const { eventId } = await createEvent(replica);
  for (const name of ["One", "Two", "Three"]) {
    await replica.operator.updateEvent({ eventId, event: { name }, updateMask: { paths: ["name"] } });
  }
  const filter = { eventId };
  const first = await replica.operator.listAuditEntries({ filter, pageSize: 3 });
  const rest = await replica.operator.listAuditEntries({
    filter,
    pageSize: 3,
    pageToken: first.nextPageToken,
  });
  expect([...first.entries, ...rest.entries].map(({ details }) => details.name)).toEqual([
    "Two → Three",
    "One → Two",
    "An evening → One",
    "An evening",
  ]);
  expect(rest.nextPageToken).toBe("");

  const count = async (more: object) =>
    (await replica.operator.listAuditEntries({ filter: { eventId, ...more } })).entries.length;
  const newest = timestampDate(only(first.entries[0]?.time));
  expect(await count({ action: "CreateEvent" })).toBe(1);
  expect(await count({ actor: "nobody" })).toBe(0);
  expect(await count({ target: eventId, actor: "operator" })).toBe(4);
  expect(await count({ until: timestampFromDate(newest) })).toBeLessThan(4);
  expect(await count({ from: timestampFromDate(new Date(newest.getTime() + 1)) })).toBe(0);
  expect(await refusalOf(replica.operator.listAuditEntries({ pageToken: "nonsense" }))).toEqual({
    reason: "INVALID_REQUEST",
    fields: ["page_token"],
  });
  expect((await refusalOf(replica.anyone.listAuditEntries({}))).reason).toBe("UNAUTHENTICATED");
});

test("the service itself cannot rewrite the past", async () => {
  await createEvent(replica);
  for (const text of ["delete from catalog.audit_entries", "update catalog.audit_entries set actor = 'me'"]) {
    await expect(replica.database.query({ text })).rejects.toThrow("audit entries are never changed");
  }
});

const isoIn = (days: number): string => timestampDate(inDays(days)).toISOString();
