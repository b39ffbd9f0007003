import { EventState } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createCatalog,
  createEvent,
  createPublished,
  eur,
  eventInit,
  inDays,
  messagesOf,
  newId,
  only,
  type Replica,
  readEvent,
  refusalOf,
  ticketType,
} from "./harness.ts";

const { DRAFT, PUBLISHED, CANCELLED } = EventState;

let catalog: Awaited<ReturnType<typeof createCatalog>>;
let replica: Replica;

beforeAll(async () => {
  catalog = await createCatalog();
  replica = await catalog.start();
});

afterAll(() => catalog.end());

const countEvents = async () =>
  (await replica.database.query<{ n: bigint }>({ text: "select count(*) as n from catalog.events" }))[0]?.n;

describe("an event's life", () => {
  test("from a draft that only operators see, over its sale, to its end", async () => {
    const { anyone, operator } = replica;
    const draft = await createEvent(replica, {
      description: "With a break.",
      ticketTypes: [
        ticketType(" Regular "),
        ticketType("Box", {
          category: " VIP ",
          maxPerReservation: 4,
          salesStart: inDays(1),
          salesEnd: inDays(2),
        }),
      ],
    });
    const { eventId } = draft;
    expect(draft).toMatchObject({
      name: "An evening",
      description: "With a break.",
      venue: "The hall",
      timeZone: "Europe/Berlin",
      state: DRAFT,
      changePending: false,
      ticketTypes: [
        { name: "Regular", category: "regular", maxPerReservation: 10, quantity: 100, price: eur(10_00) },
        { name: "Box", category: "vip", maxPerReservation: 4, salesStart: inDays(1), salesEnd: inDays(2) },
      ],
    });
    expect(draft.startsAt).toMatchObject(inDays(30));
    expect(await readEvent(replica, eventId)).toEqual(draft);
    expect(await refusalOf(anyone.getEvent({ eventId }))).toEqual({ reason: "EVENT_NOT_FOUND", fields: [] });

    const published = only((await operator.publishEvent({ eventId })).event);
    expect(published).toMatchObject({ state: PUBLISHED, changePending: false });
    expect(published.etag).not.toBe(draft.etag);
    expect((await anyone.getEvent({ eventId: eventId.toUpperCase() })).event).toEqual(published);
    expect((await operator.publishEvent({ eventId })).event).toEqual(published);

    const cancelled = only((await operator.cancelEvent({ eventId })).event);
    expect(cancelled).toMatchObject({ state: CANCELLED, changePending: false });
    expect((await operator.cancelEvent({ eventId })).event).toEqual(cancelled);
    expect((await anyone.getEvent({ eventId })).event).toEqual(cancelled);
    expect(await refusalOf(operator.publishEvent({ eventId }))).toMatchObject({ reason: "EVENT_CANCELLED" });

    const messages = await messagesOf(replica, eventId);
    expect(messages.map(({ version, state }) => [version, state])).toEqual([
      [1n, DRAFT],
      [2n, PUBLISHED],
      [3n, CANCELLED],
    ]);
    expect(messages[0]).toMatchObject({ eventId, name: "An evening", timeZone: "Europe/Berlin" });
    expect(catalog.sale.versionsOf(eventId)).toEqual([2n, 3n]);
  });

  test("a draft that is cancelled is nothing that the sale hears of", async () => {
    const { eventId } = await createEvent(replica);
    expect((await replica.operator.cancelEvent({ eventId })).event).toMatchObject({ state: CANCELLED });
    expect(catalog.sale.versionsOf(eventId)).toEqual([]);
  });

  test("what the server sets is ignored in a request", async () => {
    const eventId = newId();
    const event = await createEvent(replica, {
      eventId,
      state: CANCELLED,
      etag: "x",
      changePending: true,
      ticketTypes: [ticketType("One", { ticketTypeId: eventId })],
    });
    expect(event).toMatchObject({ state: DRAFT, changePending: false });
    expect([event.eventId, event.ticketTypes[0]?.ticketTypeId]).not.toContain(eventId);
  });

  test("a sale that was published with nothing to sell takes a ticket type afterwards", async () => {
    const { operator } = replica;
    const { eventId } = await createEvent(replica, { ticketTypes: [] });
    expect(await refusalOf(operator.publishEvent({ eventId }))).toEqual({
      reason: "INVALID_REQUEST",
      fields: ["event.ticket_types"],
    });
    await operator.addTicketType({ eventId, ticketType: ticketType("First") });
    await operator.publishEvent({ eventId });
    const event = only((await operator.addTicketType({ eventId, ticketType: ticketType("Second") })).event);
    expect(event.ticketTypes.map(({ name }) => name)).toEqual(["First", "Second"]);
    expect(catalog.sale.quantityOf(eventId, event.ticketTypes[1]?.ticketTypeId ?? "")).toBe(100);
  });
});

describe("updates", () => {
  test("change what the mask names, and nothing else", async () => {
    const { operator } = replica;
    const before = await createEvent(replica, { description: "old" });
    const { event } = await operator.updateEvent({
      eventId: before.eventId,
      event: { name: " New ", venue: "ignored", timeZone: "not looked at" },
      updateMask: { paths: ["name", "description"] },
    });
    expect(event).toMatchObject({
      name: "New",
      description: "",
      venue: "The hall",
      timeZone: "Europe/Berlin",
    });

    const [type] = before.ticketTypes;
    const updated = await operator.updateTicketType({
      eventId: before.eventId,
      ticketTypeId: type?.ticketTypeId ?? "",
      ticketType: { name: "Stalls", category: "", quantity: 7, salesEnd: inDays(3) },
      updateMask: { paths: ["name", "category", "sales_end"] },
    });
    expect(updated.event?.ticketTypes[0]).toMatchObject({
      name: "Stalls",
      category: "stalls",
      quantity: 100,
      salesEnd: inDays(3),
    });
  });

  test("that change nothing leave the version alone", async () => {
    const before = await createPublished(replica);
    const { event } = await replica.operator.updateEvent({
      eventId: before.eventId,
      event: { name: before.name },
      updateMask: { paths: ["name"] },
    });
    expect(event).toEqual(before);
  });

  test("of a published event reach the sale where they matter to it", async () => {
    const { operator } = replica;
    const { eventId, ticketTypes } = await createPublished(replica);
    const ticketTypeId = ticketTypes[0]?.ticketTypeId ?? "";
    await operator.updateEvent({ eventId, event: { venue: "Elsewhere" }, updateMask: { paths: ["venue"] } });
    await operator.updateEvent({
      eventId,
      event: { startsAt: inDays(40) },
      updateMask: { paths: ["starts_at"] },
    });
    const { event } = await operator.updateTicketType({
      eventId,
      ticketTypeId,
      ticketType: { price: eur(99), quantity: 5 },
      updateMask: { paths: ["price", "quantity"] },
    });
    expect(event).toMatchObject({ venue: "Elsewhere", changePending: false, etag: "5" });
    expect(catalog.sale.versionsOf(eventId)).toEqual([2n, 4n, 5n]);
    const known = catalog.sale.events.get(eventId);
    expect(known?.startsAtMs).toBe(Number(inDays(40).seconds) * 1_000);
    expect(known?.types.get(ticketTypeId)).toEqual({ quantity: 5, priceMinor: 99n });
  });

  test("of the same version: one wins, the others are told", async () => {
    const { eventId } = await createEvent(replica);
    for (let round = 0; round < 10; round++) {
      const { etag } = await readEvent(replica, eventId);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, (_, index) =>
          replica.operator.updateEvent({
            eventId,
            event: { name: `Name ${round}.${index}` },
            updateMask: { paths: ["name"] },
            etag,
          }),
        ),
      );
      const lost = outcomes.filter(({ status }) => status === "rejected");
      expect(lost).toHaveLength(9);
      for (const outcome of lost) expect(outcome).toMatchObject({ reason: { reason: "VERSION_CONFLICT" } });
    }
    const versions = (await messagesOf(replica, eventId)).map(({ version }) => version);
    expect(versions).toEqual(Array.from({ length: 11 }, (_, index) => BigInt(index + 1)));
  });
});

describe("request ids", () => {
  test("make one event of twenty simultaneous requests, and find it as it is now", async () => {
    const { operator } = replica;
    const request = { event: eventInit(), requestId: newId() };
    const before = await countEvents();
    const answers = await Promise.all(Array.from({ length: 20 }, () => operator.createEvent(request)));
    expect(new Set(answers.map(({ event }) => event?.eventId)).size).toBe(1);
    expect(await countEvents()).toBe((before ?? 0n) + 1n);
    const eventId = answers[0]?.event?.eventId ?? "";
    expect(await messagesOf(replica, eventId)).toHaveLength(1);

    const published = only((await operator.publishEvent({ eventId })).event);
    const repeated = await operator.createEvent({ ...request, requestId: request.requestId.toUpperCase() });
    expect(repeated.event).toEqual(published);
  });

  test("add one ticket type of twenty simultaneous requests", async () => {
    const { eventId } = await createPublished(replica, { ticketTypes: [ticketType("One")] });
    const request = { eventId, ticketType: ticketType("Two"), requestId: newId() };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => replica.operator.addTicketType(request)),
    );
    for (const { event } of answers)
      expect(event?.ticketTypes.map(({ name }) => name)).toEqual(["One", "Two"]);
    expect(catalog.sale.versionsOf(eventId)).toEqual([2n, 3n]);
  });

  test("stand for one content", async () => {
    const { operator } = replica;
    const requestId = newId();
    const { eventId } = only((await operator.createEvent({ event: eventInit(), requestId })).event);
    const before = await countEvents();
    const others = [
      operator.createEvent({ event: eventInit({ description: "other" }), requestId }),
      operator.createEvent({ event: eventInit({ ticketTypes: [ticketType("Regular")] }), requestId }),
      operator.addTicketType({ eventId, ticketType: ticketType("New"), requestId }),
    ];
    for (const { reason } of await Promise.all(others.map(refusalOf)))
      expect(reason).toBe("REQUEST_ID_REUSED");
    expect(await countEvents()).toBe(before);
    expect(await readEvent(replica, eventId)).toMatchObject({ etag: "1" });
  });

  test("of refused requests are free again", async () => {
    const requestId = newId();
    const past = replica.operator.createEvent({ event: eventInit({ startsAt: inDays(-1) }), requestId });
    expect(await refusalOf(past)).toEqual({ reason: "INVALID_REQUEST", fields: ["event.starts_at"] });
    const { event } = await replica.operator.createEvent({ event: eventInit(), requestId });
    expect(event?.name).toBe("An evening");
  });
});

describe("bad input names its field and writes nothing", () => {
  const types = (overrides: Parameters<typeof ticketType>[1]) => ({
    ticketTypes: [ticketType("One", overrides)],
  });

  test.each<[string, Parameters<typeof eventInit>[0], string]>([
    ["a blank name", { name: " \t" }, "event.name"],
    ["a name of a million characters", { name: "x".repeat(1_000_000) }, "event.name"],
    ["U+0000", { venue: "a\0b" }, "event.venue"],
    ["the past", { startsAt: inDays(-1) }, "event.starts_at"],
    ["the far future", { startsAt: inDays(100_000) }, "event.starts_at"],
    ["no time zone", { timeZone: "" }, "event.time_zone"],
    ["an unknown zone", { timeZone: "Europe/Atlantis" }, "event.time_zone"],
    ["an offset", { timeZone: "+02:00" }, "event.time_zone"],
    ["an abbreviation", { timeZone: "PST" }, "event.time_zone"],
    [
      "101 types",
      { ticketTypes: Array.from({ length: 101 }, (_, i) => ticketType(`${i}`)) },
      "event.ticket_types",
    ],
    ["a nameless type", { ticketTypes: [ticketType(" ")] }, "event.ticket_types[0].name"],
    ["one name twice", { ticketTypes: [ticketType("Ö"), ticketType(" ö ")] }, "event.ticket_types[1].name"],
    [
      "dollars",
      types({ price: { currencyCode: "USD", minorUnits: 1n } }),
      "event.ticket_types[0].price.currency_code",
    ],
    ["no currency", types({ price: { minorUnits: 1n } }), "event.ticket_types[0].price.currency_code"],
    ["a price below zero", types({ price: eur(-1) }), "event.ticket_types[0].price.minor_units"],
    ["a huge price", types({ price: eur(1e15) }), "event.ticket_types[0].price.minor_units"],
    ["a quantity below zero", types({ quantity: -1 }), "event.ticket_types[0].quantity"],
    ["a huge quantity", types({ quantity: 10_000_001 }), "event.ticket_types[0].quantity"],
    ["a limit below zero", types({ maxPerReservation: -1 }), "event.ticket_types[0].max_per_reservation"],
    ["a sale before 2000", types({ salesStart: timestampFromMs(0) }), "event.ticket_types[0].sales_start"],
    [
      "a sale of no time",
      types({ salesStart: inDays(1), salesEnd: inDays(1) }),
      "event.ticket_types[0].sales_end",
    ],
  ])("a new event with %s", async (_, overrides, field) => {
    const before = await countEvents();
    const call = replica.operator.createEvent({ event: eventInit(overrides), requestId: newId() });
    expect(await refusalOf(call)).toEqual({ reason: "INVALID_REQUEST", fields: [field] });
    expect(await countEvents()).toBe(before);
  });

  test("a new event without a start, a type without a price", async () => {
    const { startsAt: _, ...timeless } = eventInit();
    expect(await refusalOf(replica.operator.createEvent({ event: timeless }))).toEqual({
      reason: "INVALID_REQUEST",
      fields: ["event.starts_at"],
    });
    const free = eventInit({ ticketTypes: [{ name: "One", quantity: 1 }] });
    expect(await refusalOf(replica.operator.createEvent({ event: free }))).toEqual({
      reason: "INVALID_REQUEST",
      fields: ["event.ticket_types[0].price"],
    });
  });

  test("calls on what is there", async () => {
    const { operator, anyone } = replica;
    const before = await createPublished(replica);
    const { eventId } = before;
    const ticketTypeId = before.ticketTypes[0]?.ticketTypeId ?? "";
    const change = (ticketTypeInit: Parameters<typeof ticketType>[1], ...paths: string[]) =>
      operator.updateTicketType({
        eventId,
        ticketTypeId,
        ticketType: ticketTypeInit ?? {},
        updateMask: { paths },
      });
    const update = (event: Parameters<typeof eventInit>[0], ...paths: string[]) =>
      operator.updateEvent({ eventId, event: event ?? {}, updateMask: { paths } });
    const invalid = (...fields: string[]) => ({ reason: "INVALID_REQUEST", fields });
    const notFound = { reason: "EVENT_NOT_FOUND", fields: [] };
    const cases: [Promise<unknown>, { reason: string; fields: string[] }][] = [
      [update({ name: "x" }), invalid("update_mask")],
      [update({ name: "x" }, "state"), invalid("update_mask")],
      [update({ name: "x" }, "name", "ticket_types"), invalid("update_mask")],
      [update({ name: "x" }, "toString"), invalid("update_mask")],
      [operator.updateEvent({ eventId, event: { name: "x" } }), invalid("update_mask")],
      [update({}, "name"), invalid("event.name")],
      [update({}, "starts_at"), invalid("event.starts_at")],
      [update({ startsAt: inDays(-2) }, "starts_at"), invalid("event.starts_at")],
      [update({ timeZone: "Mars/Olympus" }, "time_zone"), invalid("event.time_zone")],
      [change({ name: "x" }, "position"), invalid("update_mask")],
      [change({}, "price"), invalid("ticket_type.price")],
      [
        change({ salesStart: inDays(9), salesEnd: inDays(8) }, "sales_start", "sales_end"),
        invalid("ticket_type.sales_end"),
      ],
      [change({ name: "Other" }, "name"), { reason: "EVENT_NOT_DRAFT", fields: [] }],
      [change({ category: "other" }, "category"), { reason: "EVENT_NOT_DRAFT", fields: [] }],
      [operator.addTicketType({ eventId, ticketType: ticketType("REGULAR") }), invalid("ticket_type.name")],
      [
        operator.addTicketType({ eventId, ticketType: ticketType("x"), requestId: "x" }),
        invalid("request_id"),
      ],
      [
        operator.addTicketType({ eventId: newId(), ticketType: ticketType("x"), requestId: newId() }),
        notFound,
      ],
      [anyone.getEvent({ eventId: newId() }), notFound],
      [anyone.getEvent({ eventId: "1" }), invalid("event_id")],
      [operator.publishEvent({ eventId: newId() }), notFound],
      [operator.cancelEvent({ eventId: newId() }), notFound],
      [
        operator.updateTicketType({
          eventId,
          ticketTypeId: newId(),
          ticketType: { quantity: 1 },
          updateMask: { paths: ["quantity"] },
        }),
        { reason: "TICKET_TYPE_NOT_FOUND", fields: [] },
      ],
      [anyone.listEvents({ pageToken: "x" }), invalid("page_token")],
      [anyone.listEvents({ pageSize: 501 }), invalid("page_size")],
      [anyone.listEvents({ startsAfter: timestampFromMs(0) }), invalid("starts_after")],
      [anyone.publishEvent({ eventId }), { reason: "UNAUTHENTICATED", fields: [] }],
    ];
    const refusals = await Promise.all(cases.map(([call]) => refusalOf(call)));
    expect(refusals).toEqual(cases.map(([, expected]) => expected));
    expect(await readEvent(replica, eventId)).toEqual(before);
    expect(catalog.sale.versionsOf(eventId)).toEqual([2n]);
  });
});
