import { type Cell, csvAmount, csvLines } from "@boxoffice/platform/csv.ts";
import { CURRENCY } from "@boxoffice/platform/parse.ts";
import { reservedOf, sellThroughOf, type TicketFigures, totalOf } from "../domain/figures.ts";
import type { AsOf, EventStats } from "../store/read.ts";

const HEADER = [
  "event_id",
  "event",
  "starts_at",
  "time_zone",
  "ticket_type_id",
  "ticket_type",
  "category",
  "quantity",
  "available",
  "reserved",
  "held",
  "paid",
  "expired",
  "cancelled",
  "refunded",
  "revenue",
  "currency",
  "sell_through",
  "as_of",
];

/** An event's statistics as CSV: a line for each ticket type, and one for their total, which names none. */
export function eventStatsCsv({ value: event, asOf }: AsOf<EventStats>): string {
  const total = totalOf(event.ticketTypes.map(({ tickets }) => tickets));
  const line = (type: {
    ticketTypeId?: string;
    name?: string;
    category?: string;
    tickets: TicketFigures;
  }) => [
    event.eventId,
    event.name,
    event.startsAt,
    event.timeZone,
    type.ticketTypeId,
    type.name,
    type.category,
    ...figures(type.tickets),
    asOf,
  ];
  return csvLines([HEADER, ...event.ticketTypes.map(line), line({ tickets: total })]);
}

const figures = (tickets: TicketFigures): Cell[] => [
  tickets.quantity,
  tickets.available,
  reservedOf(tickets),
  tickets.held,
  tickets.paid,
  tickets.expired,
  tickets.cancelled,
  tickets.refunded,
  csvAmount(tickets.revenueMinor),
  CURRENCY,
  sellThroughOf(tickets),
];
