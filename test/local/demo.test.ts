import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  CatalogService,
  type Event,
  EventSchema,
  EventState,
} from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import {
  type Reservation,
  ReservationSchema,
  ReservationService,
  ReservationState,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { clone, create } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { type DemoClients, ensureDemo } from "../../local/demo.ts";
import { demoEvents, zonedTime } from "../../local/demo-events.ts";
import { temporaryFolder } from "./support.ts";

test("a first start puts everything on sale once, and remembers what to show", async () => {
  const file = join(temporaryFolder(), "demo.json");
  const office = new SmallBoxOffice();
  const showcase = await ensureDemo(file, office.clients());
  expect(office.states()).toEqual(["PUBLISHED", "PUBLISHED", "PUBLISHED", "PUBLISHED", "CANCELLED"]);
  expect(office.paidTickets()).toBe(57);
  expect(showcase?.eventId).toBe("event-0");
  const calls = office.calls;
  expect(await ensureDemo(file, office.clients())).toEqual(showcase);
  expect(office.calls).toBe(calls);
});

test("a start that is cut at any call is completed by the next ones, with nothing made twice", async () => {
  const whole = new SmallBoxOffice();
  await ensureDemo(join(temporaryFolder(), "demo.json"), whole.clients());
  for (let cutAt = 1; cutAt <= whole.calls; cutAt++) {
    const file = join(temporaryFolder(), "demo.json");
    const office = new SmallBoxOffice();
    office.failAt = cutAt;
    await expect(ensureDemo(file, office.clients()), `cut at call ${cutAt}`).rejects.toThrow();
    await ensureDemo(file, office.clients());
    expect(office.states(), `cut at call ${cutAt}`).toEqual(whole.states());
    expect(office.paidTickets(), `cut at call ${cutAt}`).toBe(57);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ done: true });
  }
});

test("a hold that expired between two starts is made anew", async () => {
  const file = join(temporaryFolder(), "demo.json");
  const office = new SmallBoxOffice();
  office.failAtPayment = 3;
  await expect(ensureDemo(file, office.clients())).rejects.toThrow();
  office.expireHolds();
  await ensureDemo(file, office.clients());
  expect(office.paidTickets()).toBe(57);
});

test("a database with events of its own is left alone", async () => {
  const office = new SmallBoxOffice();
  await office.clients().catalog.createEvent({ event: { name: "theirs" }, requestId: "x" });
  expect(await ensureDemo(join(temporaryFolder(), "demo.json"), office.clients())).toBeUndefined();
  expect(office.states()).toEqual(["DRAFT"]);
});

test("few seats are left, one sale opens later, and all dates lie ahead", () => {
  const now = new Date();
  const events = demoEvents(now);
  const small = events.find(({ purchases }) => purchases !== undefined);
  const quantity = small?.event.ticketTypes.reduce((sum, type) => sum + type.quantity, 0);
  expect(quantity).toBe(60);
  for (const { event } of events) {
    expect(event.startsAt && timestampDate(event.startsAt) > now).toBe(true);
    expect(event.ticketTypes.length).toBeGreaterThan(1);
  }
  const later = events
    .flatMap(({ event }) => event.ticketTypes)
    .filter(({ salesStart }) => salesStart !== undefined);
  expect(later.length).toBeGreaterThan(0);
});

test.each([
  ["2026-01-10T00:00:00Z", 0, "20:00", "Europe/Berlin", "2026-01-10T19:00:00.000Z"],
  ["2026-06-10T00:00:00Z", 5, "20:00", "Europe/Berlin", "2026-06-15T18:00:00.000Z"],
  ["2026-10-24T12:00:00Z", 1, "17:00", "Europe/Helsinki", "2026-10-25T15:00:00.000Z"], // the clocks go back that day
  ["2026-03-28T12:00:00Z", 1, "10:00", "Europe/Lisbon", "2026-03-29T09:00:00.000Z"], // and forward
])("%s plus %i days at %s in %s", (from, days, time, zone, expected) => {
  expect(timestampDate(zonedTime(new Date(from), days, time, zone)).toISOString()).toBe(expected);
});

const STATE_NAMES = new Map<EventState, string>(
  Object.entries(EventState).map(([name, value]) => [value, name]),
);

/** Keeps the contract's promises about request ids and states, in memory, and fails when told to. */
class SmallBoxOffice {
  calls = 0;
  failAt = 0;
  failAtPayment = 0;
  readonly #events = new Map<string, Event>();
  readonly #reservations = new Map<string, Reservation>();
  #payments = 0;

  clients(): DemoClients {
    const transport = createRouterTransport(({ service }) => {
      service(CatalogService, {
        listEvents: () => this.#answer(() => ({ events: [...this.#events.values()] })),
        getEvent: ({ eventId }) => this.#answer(() => ({ event: this.#event(eventId) })),
        createEvent: ({ requestId, event }) =>
          this.#answer(() => ({ event: this.#create(requestId, event) })),
        publishEvent: ({ eventId }) =>
          this.#answer(() => ({ event: this.#set(eventId, EventState.PUBLISHED) })),
        cancelEvent: ({ eventId }) =>
          this.#answer(() => ({ event: this.#set(eventId, EventState.CANCELLED) })),
      });
      service(ReservationService, {
        reserve: ({ requestId, items }) =>
          this.#answer(() => {
            const known = this.#reservations.get(requestId);
            const fresh = create(ReservationSchema, {
              reservationId: requestId,
              state: ReservationState.HELD,
              items: items.map(({ ticketTypeId, quantity }) => ({ ticketTypeId, quantity })),
            });
            const reservation = known ?? fresh;
            this.#reservations.set(requestId, reservation);
            return { reservation };
          }),
      });
      service(PaymentService, {
        payReservation: ({ reservationId }) =>
          this.#answer(() => {
            if (++this.#payments === this.failAtPayment) throw new Error("cut");
            const reservation = this.#reservations.get(reservationId);
            if (reservation?.state !== ReservationState.HELD) throw new Error("not held");
            reservation.state = ReservationState.PAID;
            return { reservation };
          }),
      });
    });
    return {
      catalog: createClient(CatalogService, transport),
      reservation: createClient(ReservationService, transport),
      payment: createClient(PaymentService, transport),
    };
  }

  states(): (string | undefined)[] {
    return [...this.#events.values()].map(({ state }) => STATE_NAMES.get(state));
  }

  paidTickets(): number {
    return [...this.#reservations.values()]
      .filter(({ state }) => state === ReservationState.PAID)
      .flatMap(({ items }) => items)
      .reduce((sum, { quantity }) => sum + quantity, 0);
  }

  expireHolds(): void {
    for (const reservation of this.#reservations.values()) {
      if (reservation.state === ReservationState.HELD) reservation.state = ReservationState.EXPIRED;
    }
  }

  /** Does the work, then loses the answer of the call that is to fail: the harder half of being cut. */
  #answer<T>(work: () => T): T {
    const result = work();
    if (++this.calls === this.failAt) throw new Error("cut");
    return result;
  }

  #create(requestId: string, event: Event | undefined): Event {
    const known = this.#events.get(requestId);
    if (known !== undefined) return known;
    const eventId = `event-${this.#events.size}`;
    const made = event === undefined ? create(EventSchema) : clone(EventSchema, event);
    made.eventId = eventId;
    made.state = EventState.DRAFT;
    for (const [index, type] of made.ticketTypes.entries()) type.ticketTypeId = `${eventId}-type-${index}`;
    this.#events.set(requestId, made);
    return made;
  }

  #event(eventId: string): Event {
    const found = [...this.#events.values()].find((event) => event.eventId === eventId);
    if (found === undefined) throw new Error("unknown event");
    return found;
  }

  #set(eventId: string, state: EventState): Event {
    const event = this.#event(eventId);
    event.state = state;
    return event;
  }
}
