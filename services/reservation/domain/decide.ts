import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import type { Customer, Reservation } from "./reservation.ts";
import { type EventSale, eventNotFound, type TicketType, windowAt } from "./sale.ts";

/** A wish for tickets, with the id that it gets if it is granted. */
export type ReserveRequest = {
  reservationId: string;
  eventId: string;
  /** Each ticket type once, each quantity at least 1. */
  items: readonly { ticketTypeId: string; quantity: number }[];
  customer: Customer | null;
  requestId: string | null;
  /** Equal for equal content; with a request id only. */
  contentHash: string | null;
};

/** What is known when the rows are locked. */
export type SaleSnapshot = {
  events: ReadonlyMap<string, EventSale>;
  ticketTypes: ReadonlyMap<string, TicketType>;
  /** Reservations that were made under one of the requests' request ids. */
  known: ReadonlyMap<string, { reservationId: string; contentHash: string }>;
  /** Those of the requests' reservations that were made by an earlier attempt, whose answer was lost. */
  kept: ReadonlySet<string>;
  /** By the database's clock, read after the locks were taken. */
  now: Date;
};

export type ReserveOutcome =
  | { kind: "made"; reservation: Reservation }
  /** Made before, under the same request id or by an earlier attempt. */
  | { kind: "known"; reservationId: string }
  | { kind: "refused"; error: BoxofficeError };

export type Decision = {
  /** One for each request, in their order. */
  outcomes: ReserveOutcome[];
  /** How many tickets to move from available to held, by ticket type. */
  taken: Map<string, number>;
};

/**
 * Decides a batch of requests in the order of their arrival, each all or nothing: the one place that grants
 * tickets. Equal request ids share one outcome.
 */
export function decide(
  requests: readonly ReserveRequest[],
  snapshot: SaleSnapshot,
  holdMs: number,
): Decision {
  const taken = new Map<string, number>();
  const known = new Map(snapshot.known);
  const availableOf = (type: TicketType) => type.available - (taken.get(type.ticketTypeId) ?? 0);
  const outcomes = requests.map((request): ReserveOutcome => {
    const { reservationId } = request;
    if (snapshot.kept.has(reservationId)) return { kind: "known", reservationId };
    const before = request.requestId === null ? undefined : known.get(request.requestId);
    if (before !== undefined) return repeated(request, before);
    const granted = grant(request, snapshot, availableOf);
    if (granted instanceof BoxofficeError) return { kind: "refused", error: granted };
    for (const { type, quantity } of granted) {
      taken.set(type.ticketTypeId, (taken.get(type.ticketTypeId) ?? 0) + quantity);
    }
    if (request.requestId !== null && request.contentHash !== null) {
      known.set(request.requestId, {
        reservationId: request.reservationId,
        contentHash: request.contentHash,
      });
    }
    return { kind: "made", reservation: hold(request, granted, snapshot.now, holdMs) };
  });
  return { outcomes, taken };
}

type Grant = { type: TicketType; quantity: number }[];

/** Items are shown in the order of their event's list, as they are when they are read again. */
function byPosition({ type: a }: Grant[number], { type: b }: Grant[number]): number {
  return a.position - b.position || (a.ticketTypeId < b.ticketTypeId ? -1 : 1);
}

function repeated(
  request: ReserveRequest,
  before: { reservationId: string; contentHash: string },
): ReserveOutcome {
  if (before.contentHash === request.contentHash)
    return { kind: "known", reservationId: before.reservationId };
  const message = "This request_id was used for another request.";
  return { kind: "refused", error: new BoxofficeError("REQUEST_ID_REUSED", message) };
}

/** What the request gets, or why it gets nothing. */
function grant(
  { eventId, items }: ReserveRequest,
  { events, ticketTypes, now }: SaleSnapshot,
  availableOf: (type: TicketType) => number,
): Grant | BoxofficeError {
  const event = events.get(eventId);
  if (event === undefined) return eventNotFound();
  const granted: Grant = [];
  for (const { ticketTypeId, quantity } of items) {
    const type = ticketTypes.get(ticketTypeId);
    if (type === undefined || type.eventId !== eventId) {
      return new BoxofficeError("TICKET_TYPE_NOT_FOUND", "This event has no such ticket type.", {
        metadata: { ticket_type_id: ticketTypeId },
      });
    }
    granted.push({ type, quantity });
  }
  return refusedSale(event, granted, now) ?? refusedQuantity(granted, availableOf) ?? granted;
}

function refusedSale(event: EventSale, granted: Grant, now: Date): BoxofficeError | undefined {
  if (event.isCancelled) return new BoxofficeError("EVENT_CANCELLED", "This event is cancelled.");
  if (event.isPaused) {
    return new BoxofficeError("SALES_PAUSED", "The sale is paused. Try again later.", {
      retryAfterMs: 10_000,
    });
  }
  for (const { type } of granted) {
    const metadata = { ticket_type_id: type.ticketTypeId };
    const window = windowAt(event, type, now);
    if (window === "closed") {
      return new BoxofficeError("SALES_CLOSED", `The sale of "${type.name}" has ended.`, { metadata });
    }
    if (window === "not yet") {
      const salesStart = type.salesStart?.toISOString() ?? "";
      return new BoxofficeError("SALES_NOT_OPEN", `The sale of "${type.name}" opens at ${salesStart}.`, {
        metadata: { ...metadata, sales_start: salesStart },
      });
    }
  }
  return undefined;
}

function refusedQuantity(
  granted: Grant,
  availableOf: (type: TicketType) => number,
): BoxofficeError | undefined {
  for (const { type, quantity } of granted) {
    if (quantity <= type.maxPerReservation) continue;
    const { maxPerReservation, name, ticketTypeId } = type;
    return new BoxofficeError(
      "LIMIT_EXCEEDED",
      `At most ${maxPerReservation} of "${name}" per reservation.`,
      {
        metadata: { ticket_type_id: ticketTypeId, max_per_reservation: maxPerReservation },
      },
    );
  }
  for (const { type, quantity } of granted) {
    const available = availableOf(type);
    if (quantity <= available) continue;
    const message =
      available === 0 ? `"${type.name}" is sold out.` : `Only ${available} of "${type.name}" are left.`;
    return new BoxofficeError("SOLD_OUT", message, {
      metadata: { ticket_type_id: type.ticketTypeId, available },
    });
  }
  return undefined;
}

function hold(request: ReserveRequest, granted: Grant, now: Date, holdMs: number): Reservation {
  const items = granted.toSorted(byPosition).map(({ type, quantity }) => ({
    ticketTypeId: type.ticketTypeId,
    name: type.name,
    category: type.category,
    quantity,
    unitPriceMinor: type.priceMinor,
  }));
  return {
    reservationId: request.reservationId,
    eventId: request.eventId,
    state: "HELD",
    version: 1,
    items,
    totalMinor: items.reduce((sum, item) => sum + item.unitPriceMinor * BigInt(item.quantity), 0n),
    customer: request.customer,
    paymentId: null,
    createdAt: now,
    expiresAt: new Date(now.getTime() + holdMs),
    paidAt: null,
    closedAt: null,
  };
}
