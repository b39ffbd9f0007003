import type { Queryable } from "@boxoffice/platform/database.ts";
import type { Reservation, ReservationItem, ReservationState } from "../domain/reservation.ts";
import type { EventSale, TicketType } from "../domain/sale.ts";

export type EventRow = {
  event_id: string;
  version: bigint;
  starts_at: Date;
  is_paused: boolean;
  is_cancelled: boolean;
  changed_at: Date;
};

export const EVENT_COLUMNS = "event_id, version, starts_at, is_paused, is_cancelled, changed_at";

export const toEvent = (row: EventRow): EventSale => ({
  eventId: row.event_id,
  version: row.version,
  startsAt: row.starts_at,
  isPaused: row.is_paused,
  isCancelled: row.is_cancelled,
  changedAt: row.changed_at,
});

export type TicketTypeRow = {
  ticket_type_id: string;
  event_id: string;
  position: number;
  name: string;
  category: string;
  price_minor: bigint;
  max_per_reservation: number;
  sales_start: Date | null;
  sales_end: Date | null;
  definition_version: bigint;
  quantity: number;
  available: number;
  held: number;
  paid: number;
  changed_at: Date;
};

export const TICKET_TYPE_COLUMNS = `
  ticket_type_id, event_id, position, name, category, price_minor, max_per_reservation, sales_start, sales_end,
  definition_version, quantity, available, held, paid, changed_at`;

export const toTicketType = (row: TicketTypeRow): TicketType => ({
  ticketTypeId: row.ticket_type_id,
  eventId: row.event_id,
  position: row.position,
  name: row.name,
  category: row.category,
  priceMinor: row.price_minor,
  maxPerReservation: row.max_per_reservation,
  salesStart: row.sales_start,
  salesEnd: row.sales_end,
  definitionVersion: row.definition_version,
  quantity: row.quantity,
  available: row.available,
  held: row.held,
  paid: row.paid,
  changedAt: row.changed_at,
});

export type ReservationRow = {
  reservation_id: string;
  event_id: string;
  state: ReservationState;
  version: number;
  total_minor: bigint;
  customer_name: string | null;
  customer_email: string | null;
  payment_id: string | null;
  created_at: Date;
  expires_at: Date;
  paid_at: Date | null;
  closed_at: Date | null;
};

export const RESERVATION_COLUMNS = `
  reservation_id, event_id, state, version, total_minor, customer_name, customer_email, payment_id, created_at,
  expires_at, paid_at, closed_at`;

export const toReservation = (row: ReservationRow, items: ReservationItem[]): Reservation => ({
  reservationId: row.reservation_id,
  eventId: row.event_id,
  state: row.state,
  version: row.version,
  items,
  totalMinor: row.total_minor,
  customer:
    row.customer_name === null && row.customer_email === null
      ? null
      : { name: row.customer_name ?? "", email: row.customer_email ?? "" },
  paymentId: row.payment_id,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  paidAt: row.paid_at,
  closedAt: row.closed_at,
});

/** The items of some reservations, which never change. Names and categories are frozen since publishing. */
export async function readItems(
  on: Queryable,
  reservationIds: readonly string[],
): Promise<Map<string, ReservationItem[]>> {
  const rows = await on.query<{
    reservation_id: string;
    ticket_type_id: string;
    name: string;
    category: string;
    quantity: number;
    unit_price_minor: bigint;
  }>({
    name: "read-items",
    text: `
      select i.reservation_id, i.ticket_type_id, t.name, t.category, i.quantity, i.unit_price_minor
      from reservation.reservation_items i
      join reservation.ticket_types t using (ticket_type_id)
      where i.reservation_id = any($1::uuid[])
      order by i.reservation_id, t.position, t.ticket_type_id`,
    values: [reservationIds],
  });
  const items = new Map<string, ReservationItem[]>(reservationIds.map((id) => [id, []]));
  for (const row of rows) {
    items.get(row.reservation_id)?.push({
      ticketTypeId: row.ticket_type_id,
      name: row.name,
      category: row.category,
      quantity: row.quantity,
      unitPriceMinor: row.unit_price_minor,
    });
  }
  return items;
}
