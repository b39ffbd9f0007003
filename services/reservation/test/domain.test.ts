import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, type ReserveRequest, type SaleSnapshot } from "../domain/decide.ts";
import { changedAt, type EventSale, statusAt, type TicketType } from "../domain/sale.ts";

const NOW = new Date("2026-06-01T10:00:00.000Z");
const minutes = (count: number) => new Date(NOW.getTime() + count * 60_000);

const event = (overrides: Partial<EventSale> = {}): EventSale => ({
  eventId: "event",
  version: 1n,
  startsAt: minutes(60),
  isPaused: false,
  isCancelled: false,
  changedAt: minutes(-60),
  ...overrides,
});

const type = (ticketTypeId: string, available: number, overrides: Partial<TicketType> = {}): TicketType => ({
  ticketTypeId,
  eventId: "event",
  position: 0,
  name: ticketTypeId,
  category: "regular",
  priceMinor: 100n,
  maxPerReservation: 1_000,
  salesStart: null,
  salesEnd: null,
  definitionVersion: 1n,
  quantity: available,
  available,
  held: 0,
  paid: 0,
  changedAt: minutes(-30),
  ...overrides,
});

const snapshot = (types: TicketType[]): SaleSnapshot => ({
  events: new Map([["event", event()]]),
  ticketTypes: new Map(types.map((one) => [one.ticketTypeId, one])),
  known: new Map(),
  kept: new Set(),
  now: NOW,
});

const TYPES = ["a", "b", "c"];

const arbitraryStock = fc.tuple(...TYPES.map(() => fc.nat({ max: 30 })));

const arbitraryRequests = fc
  .array(
    fc.record({
      items: fc.uniqueArray(
        fc.record({ ticketTypeId: fc.constantFrom(...TYPES), quantity: fc.integer({ min: 1, max: 8 }) }),
        { minLength: 1, maxLength: 3, selector: ({ ticketTypeId }) => ticketTypeId },
      ),
      request: fc.option(fc.nat({ max: 5 }), { nil: null, freq: 2 }),
    }),
    { maxLength: 60 },
  )
  .map((wishes) =>
    wishes.map(
      ({ items, request }, index): ReserveRequest => ({
        reservationId: `reservation ${index}`,
        eventId: "event",
        items,
        customer: null,
        requestId: request === null ? null : `request ${request}`,
        contentHash: request === null ? null : JSON.stringify(items),
      }),
    ),
  );

/** Grants one request after the other, from the same stock: what a batch must be equal to. */
function oneByOne(requests: ReserveRequest[], stock: number[]): string[] {
  const left = new Map(TYPES.map((id, index) => [id, stock[index] ?? 0]));
  const known = new Map<string, { id: string; hash: string | null }>();
  return requests.map(({ reservationId, items, requestId, contentHash }) => {
    const before = requestId === null ? undefined : known.get(requestId);
    if (before) return before.hash === contentHash ? `known ${before.id}` : "REQUEST_ID_REUSED";
    if (items.some(({ ticketTypeId, quantity }) => (left.get(ticketTypeId) ?? 0) < quantity))
      return "SOLD_OUT";
    for (const { ticketTypeId, quantity } of items)
      left.set(ticketTypeId, (left.get(ticketTypeId) ?? 0) - quantity);
    if (requestId !== null) known.set(requestId, { id: reservationId, hash: contentHash });
    return `made ${reservationId}`;
  });
}

describe("a batch", () => {
  test("is decided as if each came alone, in the order of arrival", async () => {
    await fc.assert(
      fc.property(arbitraryStock, arbitraryRequests, (stock, requests) => {
        const { outcomes } = decide(
          requests,
          snapshot(TYPES.map((id, index) => type(id, stock[index] ?? 0))),
          900_000,
        );
        const told = outcomes.map((outcome) => {
          if (outcome.kind === "made") return `made ${outcome.reservation.reservationId}`;
          return outcome.kind === "known" ? `known ${outcome.reservationId}` : outcome.error.reason;
        });
        expect(told).toEqual(oneByOne(requests, stock));
      }),
      { numRuns: 500 },
    );
  });

  test("takes from the stock exactly what its reservations hold, and never more than there is", async () => {
    await fc.assert(
      fc.property(arbitraryStock, arbitraryRequests, (stock, requests) => {
        const { outcomes, taken } = decide(
          requests,
          snapshot(TYPES.map((id, index) => type(id, stock[index] ?? 0))),
          900_000,
        );
        const held = new Map<string, number>();
        for (const outcome of outcomes) {
          if (outcome.kind !== "made") continue;
          for (const { ticketTypeId, quantity } of outcome.reservation.items) {
            held.set(ticketTypeId, (held.get(ticketTypeId) ?? 0) + quantity);
          }
        }
        expect(taken).toEqual(held);
        for (const [index, id] of TYPES.entries())
          expect(taken.get(id) ?? 0).toBeLessThanOrEqual(stock[index] ?? 0);
      }),
      { numRuns: 500 },
    );
  });

  test("prices a reservation by what the tickets cost now, in the order of the event's list", () => {
    const types = [
      type("a", 9, { position: 1, priceMinor: 250n }),
      type("b", 9, { position: 0, priceMinor: 1_000n }),
    ];
    const request = {
      reservationId: "r",
      eventId: "event",
      items: [
        { ticketTypeId: "a", quantity: 2 },
        { ticketTypeId: "b", quantity: 1 },
      ],
      customer: null,
      requestId: null,
      contentHash: null,
    };
    const [outcome] = decide([request], snapshot(types), 900_000).outcomes;
    expect(outcome).toMatchObject({
      kind: "made",
      reservation: {
        totalMinor: 1_500n,
        expiresAt: minutes(15),
        items: [{ ticketTypeId: "b" }, { ticketTypeId: "a" }],
      },
    });
  });
});

describe("the status of a ticket type", () => {
  test.each([
    ["ON_SALE", {}, {}, 1],
    ["SOLD_OUT", {}, {}, 0],
    ["PAUSED", { isPaused: true }, {}, 0],
    ["NOT_YET", { isPaused: true }, { salesStart: minutes(1) }, 1],
    ["ON_SALE", {}, { salesStart: NOW }, 1],
    ["CLOSED", {}, { salesStart: minutes(1), salesEnd: NOW }, 1],
    ["CLOSED", { startsAt: NOW }, {}, 1],
    ["ON_SALE", { startsAt: NOW }, { salesEnd: minutes(1) }, 1],
    ["CANCELLED", { isCancelled: true, startsAt: NOW }, {}, 1],
  ] as const)("%s with %j and %j, %i left", (status, ofEvent, ofType, left) => {
    expect(statusAt(event(ofEvent), type("a", left, ofType), left, NOW)).toBe(status);
  });

  test.each([
    [{}, null, minutes(-30)],
    [{ salesStart: minutes(-10) }, null, minutes(-10)],
    [{ salesStart: minutes(10) }, null, minutes(-30)],
    [{ salesEnd: minutes(-5) }, null, minutes(-5)],
    [{}, minutes(-1), minutes(-1)],
  ])("changed last when a window moved or a hold ended: %j, %s", (ofType, lastExpiry, expected) => {
    expect(changedAt(event(), type("a", 1, ofType), lastExpiry, NOW)).toEqual(expected);
  });
});
