import {
  type Event,
  EventSchema,
  EventState,
  type TicketTypeSchema,
} from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import {
  AvailabilityStatus,
  type TicketTypeAvailabilitySchema,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { EVENT_ID, type Impls, startGateway } from "./harness.ts";

const LATER = timestampFromMs(Date.UTC(2031, 6, 12, 18, 30));

function event(more: MessageInitShape<typeof EventSchema> = {}): Event {
  return create(EventSchema, {
    eventId: EVENT_ID,
    name: "Northern Lights",
    venue: "Tempodrom",
    startsAt: LATER,
    timeZone: "Europe/Berlin",
    state: EventState.PUBLISHED,
    ticketTypes: [{ ticketTypeId: "t", name: "Standing", price: { currencyCode: "EUR", minorUnits: 4950n } }],
    ...more,
  });
}

type Left = MessageInitShape<typeof TicketTypeAvailabilitySchema>;

function services(events: Event[], left: Left = {}): Impls {
  const ticketTypes = [
    { ticketTypeId: "t", status: AvailabilityStatus.ON_SALE, available: 1250, quantity: 2000, ...left },
  ];
  return {
    catalog: { listEvents: () => ({ events }) },
    reservation: { getAvailability: () => ({ ticketTypes }) },
  };
}

async function pageOf(impls: Impls): Promise<{ status: number; text: string; headers: Headers }> {
  await using gateway = await startGateway(impls);
  const response = await fetch(gateway.url);
  return { status: response.status, text: await response.text(), headers: response.headers };
}

describe("the page of events", () => {
  test("says what, when by the clocks there, where, for how much, and how many are left", async () => {
    const { status, text, headers } = await pageOf(services([event()]));
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(text).toContain("Northern Lights");
    expect(text).toMatch(/12 Jul 2031, 20:30 (CEST|GMT\+2)/);
    expect(text).toContain('datetime="2031-07-12T18:30:00.000Z"');
    for (const part of ["Tempodrom", "Standing", "€49.50", "1,250 left"]) expect(text).toContain(part);
  });

  const states: [what: string, left: Left, expected: string][] = [
    ["few are left", { available: 200 }, "Only 200 left"],
    ["not few", { available: 201 }, "201 left"],
    ["sold out", { status: AvailabilityStatus.SOLD_OUT, available: 0 }, "Sold out"],
    ["not yet", { status: AvailabilityStatus.NOT_YET, salesStart: LATER }, "On sale from Sat"],
    ["paused", { status: AvailabilityStatus.PAUSED }, "The sale is paused"],
    ["over", { status: AvailabilityStatus.CLOSED }, "The sale is over"],
    ["unknown type", { ticketTypeId: "another" }, "not known at the moment"],
  ];
  test.each(states)("%s", async (_, left, expected) => {
    expect((await pageOf(services([event()], left))).text).toContain(expected);
  });

  test("cancelled, free, and in a zone that nobody knows", async () => {
    const free: MessageInitShape<typeof TicketTypeSchema> = {
      name: "Seat",
      price: { currencyCode: "EUR", minorUnits: 0n },
    };
    const odd = event({ state: EventState.CANCELLED, timeZone: "Moon/Tycho", ticketTypes: [free] });
    const { text } = await pageOf(services([odd]));
    for (const part of ["This event is cancelled.", "free", "18:30 UTC"]) expect(text).toContain(part);
  });

  test("nothing on sale", async () => {
    const { status, text } = await pageOf(services([]));
    expect([status, text.includes("Nothing is on sale yet")]).toEqual([200, true]);
  });

  test("nobody knows what is on sale", async () => {
    const { status, text, headers } = await pageOf({});
    expect([status, headers.get("cache-control")]).toEqual([503, "no-store"]);
    expect(text).toContain("load this page again");
    expect(text).not.toContain("implemented");
  });

  test("nobody knows how many are left", async () => {
    const { status, text } = await pageOf({ catalog: { listEvents: () => ({ events: [event()] }) } });
    expect(status).toBe(200);
    expect(text).toContain("Northern Lights");
    expect(text).toContain("not known at the moment");
  });

  test("text is text", async () => {
    const evil = `<script>alert(1)</script>" onload='x' &amp;`;
    const hostile = event({
      name: evil,
      venue: evil,
      description: evil,
      timeZone: evil,
      ticketTypes: [{ ticketTypeId: "t", name: evil }],
    });
    const { text, headers } = await pageOf(services([hostile]));
    expect(text).not.toContain("<script");
    expect(text).not.toContain("onload='");
    expect(text).toContain("&#60;script&#62;");
    expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
  });

  test("a thousand readers in a second cost one look at the services", async () => {
    let asked = 0;
    await using gateway = await startGateway({
      catalog: {
        listEvents: () => {
          asked++;
          return { events: [] };
        },
      },
    });
    await Promise.all(Array.from({ length: 50 }, async () => (await fetch(gateway.url)).text()));
    expect(asked).toBeLessThanOrEqual(3);
  });

  test("an address that leads nowhere gets a page for people and JSON for programs", async () => {
    await using gateway = await startGateway({});
    const forPeople = await fetch(`${gateway.url}/tickets`, { headers: { accept: "text/html,*/*" } });
    expect([forPeople.status, forPeople.headers.get("content-type")]).toEqual([
      404,
      "text/html; charset=utf-8",
    ]);
    const forPrograms = await fetch(`${gateway.url}/tickets`);
    expect([forPrograms.status, forPrograms.headers.get("content-type")]).toEqual([404, "application/json"]);
    const head = await fetch(gateway.url, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([503, ""]);
  });
});
