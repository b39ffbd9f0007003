import type { Command, Event, EventState, TicketType } from "../domain/event.ts";

/** An event as it is stored. */
export type StoredEvent = {
  event: Event;
  /** Whether the sale has still to hear of its last changes. */
  changePending: boolean;
};

export type EventRow = {
  event_id: string;
  version: bigint;
  name: string;
  description: string;
  venue: string;
  starts_at: Date;
  time_zone: string;
  state: EventState;
  ticket_types: TicketTypeJson[];
  change_pending: boolean;
};

/** Of `catalog.events e`: an event with its ticket types, all of one moment. */
export const EVENT_COLUMNS = `
  e.event_id, e.version, e.name, e.description, e.venue, e.starts_at, e.time_zone, e.state,
  (
    select coalesce(jsonb_agg(jsonb_build_object(
      'ticketTypeId', t.ticket_type_id, 'position', t.position, 'name', t.name, 'category', t.category,
      'priceMinor', t.price_minor::text, 'quantity', t.quantity, 'maxPerReservation', t.max_per_reservation,
      'salesStart', t.sales_start, 'salesEnd', t.sales_end) order by t.position), '[]')
    from catalog.ticket_types t where t.event_id = e.event_id
  ) as ticket_types,
  exists (
    select from catalog.commands c where c.event_id = e.event_id and c.state = 'PENDING'
  ) as change_pending`;

export const toStoredEvent = (row: EventRow): StoredEvent => ({
  event: {
    eventId: row.event_id,
    version: row.version,
    name: row.name,
    description: row.description,
    venue: row.venue,
    startsAt: row.starts_at,
    timeZone: row.time_zone,
    state: row.state,
    ticketTypes: row.ticket_types.map(fromTicketTypeJson),
  },
  changePending: row.change_pending,
});

export type CommandRow = { kind: Command["kind"]; content: unknown };

/** What `commands.content` holds, by kind; `kind` itself is a column. */
type OpenJson = { startsAt: string; ticketTypes: TicketTypeJson[] };
type ChangeJson = { ticketType: TicketTypeJson; previous: TicketTypeJson | null };

/** A ticket type as jsonb holds it, which knows neither int8 nor times. */
type TicketTypeJson = Omit<TicketType, "priceMinor" | "salesStart" | "salesEnd"> & {
  priceMinor: string;
  salesStart: string | null;
  salesEnd: string | null;
};

export function toCommandContent(command: Command): string {
  return JSON.stringify(command, (key, value: unknown) => {
    if (key === "kind") return undefined;
    return typeof value === "bigint" ? String(value) : value;
  });
}

export function toCommand({ kind, content }: CommandRow): Command {
  switch (kind) {
    case "open": {
      const { startsAt, ticketTypes } = content as OpenJson;
      return { kind, startsAt: new Date(startsAt), ticketTypes: ticketTypes.map(fromTicketTypeJson) };
    }
    case "change_ticket_type": {
      const { ticketType, previous } = content as ChangeJson;
      return {
        kind,
        ticketType: fromTicketTypeJson(ticketType),
        previous: previous && fromTicketTypeJson(previous),
      };
    }
    case "close":
      return { kind };
  }
}

function fromTicketTypeJson(json: TicketTypeJson): TicketType {
  const { priceMinor, salesStart, salesEnd, ...rest } = json;
  return {
    ...rest,
    priceMinor: BigInt(priceMinor),
    salesStart: salesStart === null ? null : new Date(salesStart),
    salesEnd: salesEnd === null ? null : new Date(salesEnd),
  };
}
