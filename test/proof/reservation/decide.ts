import type { Reason } from "@boxoffice/platform/errors.ts";
import * as fc from "fast-check";
import {
  decide,
  type ReserveOutcome,
  type ReserveRequest,
  type SaleSnapshot,
} from "../../../services/reservation/domain/decide.ts";
import type { EventSale, TicketType } from "../../../services/reservation/domain/sale.ts";
import type { Property } from "../property.ts";

const RUNS = { full: 50_000, short: 1_000 };
const HOLD_MS = 900_000;
const NOW = new Date("2026-06-01T10:00:00.000Z");

/** The one place that grants tickets, with batches and stocks of every kind that chance thinks of. */
export const decisions: Property = {
  name: "decide",
  says: "whatever a batch wishes, it is decided as if each came alone: in order, all or nothing, and never oversold",
  async prove({ random, size }) {
    const runs = RUNS[size];
    const result = fc.check(fc.property(arbitraryBatch, holdsFor), { numRuns: runs, seed: random.seed });
    const report = result.failed ? fc.defaultReportMessage(result) : undefined;
    return { counts: { batches: result.numRuns }, violations: report === undefined ? [] : [report] };
  },
};

type Batch = { requests: ReserveRequest[]; snapshot: SaleSnapshot; cut: number };

/** @throws Error that says which part of the property does not hold */
function holdsFor({ requests, snapshot, cut }: Batch): void {
  const before = textOf(snapshot);
  const { outcomes, taken } = decide(requests, snapshot, HOLD_MS);
  demand(textOf(snapshot) === before, "what was known is not changed by deciding");
  demand(outcomes.length === requests.length, "every request has an outcome");

  // One after the other, each with what the ones before it have left.
  let state = snapshot;
  const total = new Map<string, number>();
  for (const [index, request] of requests.entries()) {
    const outcome = outcomes[index] as ReserveOutcome;
    const alone = decide([request], state, HOLD_MS);
    demand(textOf(alone.outcomes[0]) === textOf(outcome), `request ${index} is decided as if it came alone`);
    judge(request, outcome, state);
    if (outcome.kind !== "made") continue;
    for (const { ticketTypeId, quantity } of outcome.reservation.items) {
      total.set(ticketTypeId, (total.get(ticketTypeId) ?? 0) + quantity);
    }
    state = after(state, request);
  }
  for (const { ticketTypeId, available } of state.ticketTypes.values()) {
    demand(available >= 0, `type ${ticketTypeId} is not oversold`);
  }
  demand(
    textOf([...taken].sort()) === textOf([...total].sort()),
    "what is taken from the stock is what the reservations hold",
  );

  const first = decide(requests.slice(0, cut), snapshot, HOLD_MS).outcomes;
  demand(textOf(first) === textOf(outcomes.slice(0, cut)), "nobody is decided by who comes later");

  const again = decide(requests, state, HOLD_MS);
  for (const [index, { requestId }] of requests.entries()) {
    const outcome = again.outcomes[index];
    const isRemembered = requestId !== null && state.known.has(requestId);
    demand(
      !isRemembered || outcome?.kind !== "made",
      "a request id that was granted once is not granted again",
    );
  }
}

/** Whether an outcome is right, given what is left: granted if and only if nothing speaks against it. */
function judge(request: ReserveRequest, outcome: ReserveOutcome, state: SaleSnapshot): void {
  const { reservationId, requestId, contentHash, items } = request;
  const before = requestId === null ? undefined : state.known.get(requestId);
  if (state.kept.has(reservationId)) {
    demand(
      textOf(outcome) === textOf({ kind: "known", reservationId }),
      "what an attempt kept is found again",
    );
  } else if (before?.contentHash === contentHash && before) {
    const known = { kind: "known", reservationId: before.reservationId };
    demand(textOf(outcome) === textOf(known), "an equal request id shares the outcome");
  } else if (before) {
    demand(reasonOf(outcome) === "REQUEST_ID_REUSED", "a request id is good for one thing only");
  } else {
    const reasons = reasonsAgainst(request, state);
    if (outcome.kind === "refused") {
      demand(
        reasons.has(outcome.error.reason),
        `a refusal is true, and this one is not: ${outcome.error.reason}`,
      );
      return;
    }
    demand(outcome.kind === "made", "a new request is granted or refused");
    demand(reasons.size === 0, `what is granted must not be refused: ${[...reasons].join()}`);
    if (outcome.kind === "made") demand(isWhole(outcome, items), "all is granted, or nothing");
  }
}

function isWhole(
  { reservation }: ReserveOutcome & { kind: "made" },
  wished: ReserveRequest["items"],
): boolean {
  const text = (items: ReserveRequest["items"]) =>
    items.map(({ ticketTypeId, quantity }) => `${ticketTypeId} ${quantity}`).sort();
  const endsInTime = reservation.expiresAt.getTime() === NOW.getTime() + HOLD_MS;
  return (
    textOf(text(reservation.items)) === textOf(text(wished)) && reservation.state === "HELD" && endsInTime
  );
}

/** Everything that is true of a request and speaks against it. */
function reasonsAgainst({ eventId, items }: ReserveRequest, state: SaleSnapshot): Set<Reason> {
  const reasons = new Set<Reason>();
  const event = state.events.get(eventId);
  if (event === undefined) return reasons.add("EVENT_NOT_FOUND");
  if (event.isCancelled) reasons.add("EVENT_CANCELLED");
  if (event.isPaused) reasons.add("SALES_PAUSED");
  for (const { ticketTypeId, quantity } of items) {
    const type = state.ticketTypes.get(ticketTypeId);
    if (type?.eventId !== eventId) {
      reasons.add("TICKET_TYPE_NOT_FOUND");
      continue;
    }
    if (NOW >= (type.salesEnd ?? event.startsAt)) reasons.add("SALES_CLOSED");
    if (type.salesStart !== null && NOW < type.salesStart) reasons.add("SALES_NOT_OPEN");
    if (quantity > type.maxPerReservation) reasons.add("LIMIT_EXCEEDED");
    if (quantity > type.available) reasons.add("SOLD_OUT");
  }
  return reasons;
}

/** What is known once a request was granted. */
function after(
  state: SaleSnapshot,
  { reservationId, requestId, contentHash, items }: ReserveRequest,
): SaleSnapshot {
  const ticketTypes = new Map(state.ticketTypes);
  for (const { ticketTypeId, quantity } of items) {
    const type = ticketTypes.get(ticketTypeId);
    if (type) {
      const [available, held] = [type.available - quantity, type.held + quantity];
      ticketTypes.set(ticketTypeId, { ...type, available, held });
    }
  }
  const known = new Map(state.known);
  if (requestId !== null && contentHash !== null) known.set(requestId, { reservationId, contentHash });
  return { ...state, ticketTypes, known };
}

const reasonOf = (outcome: ReserveOutcome): Reason | undefined =>
  outcome.kind === "refused" ? outcome.error.reason : undefined;

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(`it does not hold that ${what}`);
}

/** Equal for equal values; of an error, its reason and facts. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === "bigint") return String(part);
    if (part instanceof Map || part instanceof Set) return [...part];
    if (part instanceof Error && "reason" in part && "metadata" in part) return [part.reason, part.metadata];
    return part;
  });
}

const minutes = (count: number | null) => (count === null ? null : new Date(NOW.getTime() + count * 60_000));
const around = (freq: number) => fc.option(fc.constantFrom(-5, 0, 5), { nil: null, freq });

const EVENTS = ["spring", "autumn"];
const TYPES = EVENTS.flatMap((event) => ["seat", "box", "lawn"].map((type) => `${event} ${type}`));

const arbitraryEvent = (eventId: string): fc.Arbitrary<EventSale> =>
  fc.record({
    eventId: fc.constant(eventId),
    version: fc.constant(1n),
    startsAt: fc.constantFrom(60, 60, 60, 0).map((count) => minutes(count) ?? NOW),
    isPaused: fc.constantFrom(false, false, false, true),
    isCancelled: fc.constantFrom(false, false, false, true),
    changedAt: fc.constant(NOW),
  });

const arbitraryType = (ticketTypeId: string, position: number): fc.Arbitrary<TicketType> =>
  fc
    .record({
      available: fc.nat({ max: 25 }),
      maxPerReservation: fc.integer({ min: 2, max: 12 }),
      salesStart: around(2),
      salesEnd: around(2),
      priceMinor: fc.bigInt({ min: 0n, max: 9_999n }),
    })
    .map(({ available, salesStart, salesEnd, ...rest }) => ({
      ticketTypeId,
      eventId: ticketTypeId.split(" ")[0] ?? "",
      position,
      name: ticketTypeId,
      category: "regular",
      definitionVersion: 1n,
      quantity: available,
      available,
      held: 0,
      paid: 0,
      changedAt: NOW,
      salesStart: minutes(salesStart),
      salesEnd: minutes(salesEnd),
      ...rest,
    }));

/** Mostly of the event itself; now and then of another one's, or of none that exists. */
const arbitraryWish = fc.constantFrom(...EVENTS, ...EVENTS, ...EVENTS, "winter").chain((eventId) => {
  const own = TYPES.filter((type) => type.startsWith(eventId));
  return fc.record({
    eventId: fc.constant(eventId),
    items: fc.uniqueArray(
      fc.record({
        ticketTypeId: fc.constantFrom(...own, ...own, ...own, ...own, ...TYPES, "winter seat"),
        quantity: fc.constantFrom(1, 1, 2, 3, 5, 8),
      }),
      { minLength: 1, maxLength: 3, selector: ({ ticketTypeId }) => ticketTypeId },
    ),
    request: fc.option(fc.nat({ max: 6 }), { nil: null, freq: 2 }),
  });
});

const arbitraryBatch: fc.Arbitrary<Batch> = fc
  .record({
    wishes: fc.array(arbitraryWish, { maxLength: 40 }),
    events: fc.tuple(...EVENTS.map(arbitraryEvent)),
    types: fc.tuple(...TYPES.map(arbitraryType)),
    known: fc.uniqueArray(fc.record({ request: fc.nat({ max: 6 }), wish: fc.nat({ max: 39 }) }), {
      maxLength: 2,
      selector: ({ request }) => request,
    }),
    kept: fc.uniqueArray(fc.nat({ max: 39 }), { maxLength: 2 }),
    cut: fc.nat({ max: 40 }),
  })
  .map(({ wishes, events, types, known, kept, cut }) => {
    const requests = wishes.map(
      ({ eventId, items, request }, index): ReserveRequest => ({
        reservationId: `reservation ${index}`,
        eventId,
        items,
        customer: null,
        requestId: request === null ? null : `request ${request}`,
        contentHash: request === null ? null : textOf({ eventId, items }),
      }),
    );
    const hashOf = (index: number) => requests[index]?.contentHash ?? "something else";
    return {
      requests,
      cut,
      snapshot: {
        events: new Map(events.map((event) => [event.eventId, event])),
        ticketTypes: new Map(types.map((type) => [type.ticketTypeId, type])),
        known: new Map(
          known.map(({ request, wish }) => [
            `request ${request}`,
            { reservationId: `earlier ${request}`, contentHash: hashOf(wish) },
          ]),
        ),
        kept: new Set(kept.map((index) => `reservation ${index}`)),
        now: NOW,
      },
    };
  });
