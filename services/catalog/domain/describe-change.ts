import type { Change, Event, TicketType } from "./event.ts";

/** What a change comes to, for the audit: what it was made to, and what became what ("quantity": "100 → 80"). */
export function describeChange(
  before: Event | undefined,
  { event, ticketTypes }: Change,
): { target: string; eventId: string; details: Record<string, string> } {
  const { eventId } = event;
  if (before === undefined) {
    const names = ticketTypes.map(({ name, quantity }) => `${quantity} ${name}`).join(", ");
    return { target: eventId, eventId, details: { name: event.name, ticket_types: names } };
  }
  const [type] = ticketTypes;
  if (type === undefined) return { target: eventId, eventId, details: differences(EVENT, before, event) };
  const typeBefore = before.ticketTypes.find(({ ticketTypeId }) => ticketTypeId === type.ticketTypeId);
  const details = { ticket_type: type.name, ...differences(TICKET_TYPE, typeBefore, type) };
  return { target: type.ticketTypeId, eventId, details };
}

/** How to show the fields that can change, by the contract's names for them. */
type Shown<T> = Record<string, (of: T) => string>;

const EVENT: Shown<Event> = {
  name: ({ name }) => name,
  venue: ({ venue }) => venue,
  starts_at: ({ startsAt }) => startsAt.toISOString(),
  time_zone: ({ timeZone }) => timeZone,
  state: ({ state }) => state,
  description: ({ description }) => description,
};

const TICKET_TYPE: Shown<TicketType> = {
  name: ({ name }) => name,
  category: ({ category }) => category,
  price_minor: ({ priceMinor }) => String(priceMinor),
  quantity: ({ quantity }) => String(quantity),
  max_per_reservation: ({ maxPerReservation }) => String(maxPerReservation),
  sales_start: ({ salesStart }) => salesStart?.toISOString() ?? "publishing",
  sales_end: ({ salesEnd }) => salesEnd?.toISOString() ?? "start",
};

/** Of what is new, everything is a difference. */
function differences<T>(shown: Shown<T>, before: T | undefined, after: T): Record<string, string> {
  const entries = Object.entries(shown).flatMap(([field, show]) => {
    const now = show(after);
    if (before === undefined) return [[field, shorten(now)]];
    const was = show(before);
    return was === now ? [] : [[field, `${shorten(was)} → ${shorten(now)}`]];
  });
  return Object.fromEntries(entries);
}

const MAX_LENGTH = 60;

const shorten = (text: string): string =>
  text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH)}… (${text.length} characters)`;
