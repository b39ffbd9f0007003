import { BoxofficeError, invalidField } from "@boxoffice/platform/errors.ts";
import {
  type Change,
  type Command,
  type Event,
  type EventFields,
  etagOf,
  type TicketType,
  type TicketTypeFields,
} from "./event.ts";
import { checkEventName, checkStart, completeTicketType, MAX_TICKET_TYPES } from "./rules.ts";

/** What is to be changed; undefined where all is as it was asked to be. */
export type Decision = Change | undefined;

/** A new event that nobody but operators can see yet. Its ticket types' ids are given, their places follow. */
export type Draft = EventFields & {
  eventId: string;
  ticketTypes: readonly Omit<TicketType, "position">[];
};

/** @throws BoxofficeError INVALID_REQUEST that names the field below `event` */
export function createEvent(draft: Draft, now: Date): Change {
  checkEventName("event", draft);
  checkStart("event", draft, now);
  const ticketTypes: TicketType[] = [];
  for (const [position, type] of draft.ticketTypes.entries()) {
    const field = `event.ticket_types[${position}]`;
    ticketTypes.push({ ...completeTicketType(field, type, ticketTypes), position });
  }
  return { event: { ...draft, version: 1n, state: "DRAFT", ticketTypes }, ticketTypes, command: null };
}

/**
 * Changes some of an event's own fields. The sale is told where it matters to it: when the start moves.
 *
 * @param etag of the version that the caller read; empty overwrites whatever there is
 * @throws BoxofficeError INVALID_REQUEST below `event`, VERSION_CONFLICT, EVENT_CANCELLED
 */
export function updateEvent(event: Event, patch: Partial<EventFields>, etag: string, now: Date): Decision {
  refuseCancelled(event);
  refuseStale(event, etag);
  const changed: Event = { ...event, ...patch };
  if (isSame(event, changed)) return undefined;
  checkEventName("event", changed);
  const hasMoved = changed.startsAt.getTime() !== event.startsAt.getTime();
  if (hasMoved) checkStart("event", changed, now);
  return changeOf(changed, [], hasMoved && event.state === "PUBLISHED" ? openCommand(changed) : null);
}

/**
 * Puts a draft on sale.
 *
 * @throws BoxofficeError INVALID_REQUEST for what the draft lacks, EVENT_CANCELLED
 */
export function publishEvent(event: Event, now: Date): Decision {
  refuseCancelled(event);
  if (event.state === "PUBLISHED") return undefined;
  if (event.ticketTypes.length === 0) {
    throw invalidField("event.ticket_types", "must hold a ticket type before the event is published");
  }
  checkStart("event", event, now);
  return changeOf({ ...event, state: "PUBLISHED" }, [], openCommand(event));
}

/** Ends an event for good. Of a draft the sale has never heard. */
export function cancelEvent(event: Event): Decision {
  if (event.state === "CANCELLED") return undefined;
  return changeOf({ ...event, state: "CANCELLED" }, [], event.state === "DRAFT" ? null : { kind: "close" });
}

/** @throws BoxofficeError INVALID_REQUEST below `ticket_type`, EVENT_CANCELLED */
export function addTicketType(event: Event, added: Omit<TicketType, "position">): Change {
  refuseCancelled(event);
  if (event.ticketTypes.length >= MAX_TICKET_TYPES) {
    throw invalidField("ticket_type", `an event has at most ${MAX_TICKET_TYPES} ticket types`);
  }
  const position = Math.max(-1, ...event.ticketTypes.map((type) => type.position)) + 1;
  const ticketType = { ...completeTicketType("ticket_type", added, event.ticketTypes), position };
  return changeOfTicketType(event, ticketType, null);
}

/**
 * Changes some of a ticket type's fields. Its quantity is the sale's to refuse, once the event is published.
 *
 * @param etag of the event's version that the caller read; empty overwrites whatever there is
 * @throws BoxofficeError TICKET_TYPE_NOT_FOUND, INVALID_REQUEST below `ticket_type`, VERSION_CONFLICT,
 *   EVENT_NOT_DRAFT for a name or category that is frozen, EVENT_CANCELLED
 */
export function updateTicketType(
  event: Event,
  ticketTypeId: string,
  patch: Partial<TicketTypeFields>,
  etag: string,
): Decision {
  const current = event.ticketTypes.find((type) => type.ticketTypeId === ticketTypeId);
  if (current === undefined) {
    throw new BoxofficeError("TICKET_TYPE_NOT_FOUND", "The event has no such ticket type.");
  }
  refuseCancelled(event);
  refuseStale(event, etag);
  const others = event.ticketTypes.filter((type) => type !== current);
  const changed = completeTicketType("ticket_type", { ...current, ...patch }, others);
  if (isSame(current, changed)) return undefined;
  if (event.state === "PUBLISHED") refuseFrozen(current, changed);
  return changeOfTicketType(event, changed, current);
}

/** The same event with one of its ticket types replaced, or added at the end. */
export function withTicketType(event: Event, ticketType: TicketType): Event {
  const others = event.ticketTypes.filter((type) => type.ticketTypeId !== ticketType.ticketTypeId);
  return { ...event, ticketTypes: [...others, ticketType].sort((a, b) => a.position - b.position) };
}

function changeOfTicketType(event: Event, ticketType: TicketType, previous: TicketType | null): Change {
  const command: Command = { kind: "change_ticket_type", ticketType, previous };
  return changeOf(
    withTicketType(event, ticketType),
    [ticketType],
    event.state === "PUBLISHED" ? command : null,
  );
}

function changeOf(event: Event, ticketTypes: readonly TicketType[], command: Command | null): Change {
  return { event: { ...event, version: event.version + 1n }, ticketTypes, command };
}

const openCommand = ({ startsAt, ticketTypes }: Event): Command => ({ kind: "open", startsAt, ticketTypes });

function refuseCancelled({ state }: Event): void {
  if (state === "CANCELLED") throw new BoxofficeError("EVENT_CANCELLED", "This event is cancelled.");
}

function refuseStale(event: Event, etag: string): void {
  if (etag === "" || etag === etagOf(event)) return;
  throw new BoxofficeError("VERSION_CONFLICT", "The event has changed since it was read. Read it again.");
}

function refuseFrozen(current: TicketType, changed: TicketType): void {
  if (current.name === changed.name && current.category === changed.category) return;
  throw new BoxofficeError(
    "EVENT_NOT_DRAFT",
    "A ticket type keeps its name and category once it has been on sale.",
  );
}

/** Whether two records with the same keys hold equal fields; those that are objects and no times are the same one. */
function isSame<T extends object>(one: T, other: T): boolean {
  const keys = Object.keys(one) as (keyof T)[];
  return keys.every((key) => comparable(one[key]) === comparable(other[key]));
}

const comparable = (value: unknown): unknown => (value instanceof Date ? value.getTime() : value);
