import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { eventually, type Journey } from "./steps.ts";
import type { Availability, Event } from "./types.ts";

/** The two events of a journey, both on sale. */
export type Stage = { concert: Event; reading: Event };

const DAY_MS = 24 * 60 * 60 * 1000;

/** Creates two events as drafts, looks at them as everybody, and puts them on sale. */
export async function openStage(journey: Journey): Promise<Stage> {
  const { anyone, operator, run, step } = journey;
  const requestId = randomUUID();
  const draft = await step("create a draft with several ticket types", async () => {
    const { event } = await operator.ok<{ event: Event }>("catalog/CreateEvent", {
      event: concertOf(run),
      requestId,
    });
    assert.equal(event.state, "EVENT_STATE_DRAFT");
    assert.deepEqual(
      event.ticketTypes.map(({ category }) => category),
      [`regular-${run}`, `vip-${run}`, `last seats ${run}`, `regular-${run}`],
    );
    assert.equal(event.ticketTypes[0]?.maxPerReservation, 10, "0 means 10");
    return event;
  });
  const { eventId } = draft;
  await step("create it again with the same request id", async () => {
    const request = { event: concertOf(run), requestId };
    const { event } = await operator.ok<{ event: Event }>("catalog/CreateEvent", request);
    assert.equal(event.eventId, eventId);
    const other = { event: { ...concertOf(run), venue: "elsewhere" }, requestId };
    await operator.refused("catalog/CreateEvent", other, { reason: "REQUEST_ID_REUSED" });
  });
  await step("a draft is nobody's business", async () => {
    await anyone.refused("catalog/GetEvent", { eventId }, { reason: "EVENT_NOT_FOUND", code: "not_found" });
    await anyone.refused("reservation/GetAvailability", { eventId }, { reason: "EVENT_NOT_FOUND" });
    const { events } = await anyone.ok<{ events: Event[] }>("catalog/ListEvents", { query: run });
    assert.deepEqual(events, []);
    assert.equal(
      (await operator.ok<{ event: Event }>("catalog/GetEvent", { eventId })).event.eventId,
      eventId,
    );
  });
  const concert = await step("publish it", () => publish(journey, eventId));
  await step("event info: name, date and time, several ticket types", async () => {
    const { event } = await anyone.ok<{ event: Event }>("catalog/GetEvent", { eventId });
    assert.deepEqual(event, concert);
    const { name, venue, startsAt, timeZone, ticketTypes } = concertOf(run);
    assert.equal(event.state, "EVENT_STATE_PUBLISHED");
    assert.deepEqual([event.name, event.venue, event.timeZone], [name, venue, timeZone]);
    assert.equal(Date.parse(event.startsAt), Date.parse(startsAt));
    assert.deepEqual(
      event.ticketTypes.map((type) => [type.name, type.price, type.quantity]),
      ticketTypes.map((type) => [type.name, type.price, type.quantity]),
    );
    const { events } = await anyone.ok<{ events: Event[] }>("catalog/ListEvents", {
      query: run.toUpperCase(),
    });
    assert.deepEqual(events, [event]);
  });
  await step("the same by GET, for caches", async () => {
    const { status, headers, text } = await anyone.get("catalog/GetEvent", { eventId });
    assert.equal(status, 200, text);
    assert.equal(headers.get("cache-control"), "public, max-age=5");
    assert.deepEqual(JSON.parse(text), { event: concert });
  });
  await step("availability of every type, as full as can be", async () => {
    const availability = await anyone.ok<Availability>("reservation/GetAvailability", { eventId });
    assert.deepEqual(
      availability.ticketTypes.map(({ available, quantity, status }) => [available, quantity, status]),
      [
        [100, 100, "AVAILABILITY_STATUS_ON_SALE"],
        [10, 10, "AVAILABILITY_STATUS_ON_SALE"],
        [2, 2, "AVAILABILITY_STATUS_ON_SALE"],
        [5, 5, "AVAILABILITY_STATUS_NOT_YET"],
      ],
    );
  });
  const reading = await step("another event", async () => {
    const created = await operator.ok<{ event: Event }>("catalog/CreateEvent", { event: readingOf(run) });
    return publish(journey, created.event.eventId);
  });
  return { concert, reading };
}

export const money = (cents: number) => ({ currencyCode: "EUR", minorUnits: String(cents) });

/** How many of a ticket type are left, by its place in the event's list. */
export async function availableOf(
  { anyone }: Journey,
  { eventId }: Event,
  place: number,
): Promise<number | undefined> {
  const { ticketTypes } = await anyone.ok<Availability>("reservation/GetAvailability", { eventId });
  return ticketTypes[place]?.available;
}

/** The whole path of an event, as an operator writes it down. */
export function concertOf(run: string) {
  return {
    name: `Journey ${run}`,
    description: "Made by the journey test; cancelled when it is done.",
    venue: "Tempodrom, Berlin",
    startsAt: inDays(30),
    timeZone: "Europe/Berlin",
    ticketTypes: [
      { name: "Standing", category: `regular-${run}`, price: money(2500), quantity: 100 },
      { name: "Backstage", category: `VIP-${run}`, price: money(10_000), quantity: 10, maxPerReservation: 4 },
      { name: `Last Seats ${run}`, price: money(4000), quantity: 2 },
      { name: "Balcony", category: `regular-${run}`, price: money(1000), quantity: 5, salesStart: inDays(7) },
    ],
  };
}

function readingOf(run: string) {
  return {
    name: `Reading of the journey ${run}`,
    venue: "Konzerthaus, Wien",
    startsAt: inDays(31),
    timeZone: "Europe/Vienna",
    ticketTypes: [{ name: "Front row", category: `vip-${run}`, price: money(5000), quantity: 5 }],
  };
}

/** On a whole second, so that the same one comes back. */
function inDays(days: number): string {
  return new Date(Math.ceil(Date.now() / DAY_MS) * DAY_MS + days * DAY_MS)
    .toISOString()
    .replace(".000Z", "Z");
}

/** It is on sale when the reservation service has heard of it, which may be a moment later. */
async function publish({ operator, anyone }: Journey, eventId: string): Promise<Event> {
  let { event } = await operator.ok<{ event: Event }>("catalog/PublishEvent", { eventId });
  await eventually(async () => {
    ({ event } = await operator.ok<{ event: Event }>("catalog/GetEvent", { eventId }));
    assert.equal(event.changePending, false, "changePending");
    await anyone.ok("reservation/GetAvailability", { eventId });
  });
  return event;
}
