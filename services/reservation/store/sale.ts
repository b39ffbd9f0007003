import { type Act, appendAudit } from "@boxoffice/platform/audit.ts";
import type { Database, Transaction } from "@boxoffice/platform/database.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import {
  type EventSale,
  eventNotFound,
  reservedOf,
  type TicketType,
  type TicketTypeDefinition,
} from "../domain/sale.ts";
import { announceTicketTypes } from "./changes.ts";
import {
  EVENT_COLUMNS,
  type EventRow,
  TICKET_TYPE_COLUMNS,
  type TicketTypeRow,
  toEvent,
  toTicketType,
} from "./rows.ts";

export type SaleOptions = { database: Database; newId: () => string };

/**
 * Puts an event on sale, or moves its start. Ticket types that are new are added; those on sale keep their stock,
 * which is ours: only {@link changeTicketType} changes it. A version not above the last is ignored.
 */
export function openSales(
  { database, newId }: SaleOptions,
  command: { eventId: string; version: bigint; startsAt: Date; ticketTypes: readonly TicketTypeDefinition[] },
): Promise<void> {
  const { eventId, version, startsAt, ticketTypes } = command;
  return database.transaction(async (tx) => {
    const [opened] = await tx.query<{ now: Date }>({
      text: `
        insert into reservation.events as e (event_id, version, starts_at, changed_at)
        values ($1, $2, $3, reservation.clock())
        on conflict (event_id) do update
          set version = excluded.version, starts_at = excluded.starts_at, changed_at = excluded.changed_at
          where e.version < excluded.version
        returning changed_at as now`,
      values: [eventId, version, startsAt],
    });
    if (opened === undefined) return;
    const added: TicketType[] = [];
    for (const type of ticketTypes) {
      const row = await insertTicketType(tx, eventId, type, opened.now);
      if (row) added.push(row);
    }
    announceTicketTypes(tx, newId, opened.now, eventId, added);
  });
}

/**
 * Adds a ticket type to an event on sale, or changes one. A version not above the last is ignored.
 *
 * @throws BoxofficeError QUANTITY_BELOW_RESERVED, EVENT_NOT_FOUND, EVENT_CANCELLED
 */
export function changeTicketType(
  { database, newId }: SaleOptions,
  command: { eventId: string; version: bigint; ticketType: TicketTypeDefinition },
): Promise<void> {
  const { eventId, version, ticketType } = command;
  return database.transaction(async (tx) => {
    const { event, now } = await lockEvent(tx, eventId);
    if (version <= event.version) return;
    if (event.isCancelled) throw new BoxofficeError("EVENT_CANCELLED", "This event is cancelled.");
    const current = await lockTicketType(tx, ticketType.ticketTypeId);
    const changed = current
      ? await updateTicketType(tx, current, ticketType, now)
      : await insertTicketType(tx, eventId, ticketType, now);
    await tx.query({
      text: "update reservation.events set version = $2, changed_at = $3 where event_id = $1",
      values: [eventId, version, now],
    });
    if (changed) announceTicketTypes(tx, newId, now, eventId, [changed]);
  });
}

/**
 * Ends the sale of a cancelled event. Nothing of it can be reserved from here on; its holds are released by the
 * sweeper, a batch at a time. A version not above the last is ignored.
 *
 * @throws BoxofficeError EVENT_NOT_FOUND
 */
export function closeSales({ database }: SaleOptions, eventId: string, version: bigint): Promise<void> {
  return database.transaction(async (tx) => {
    const { event, now } = await lockEvent(tx, eventId);
    if (version <= event.version) return;
    await tx.query({
      text: `
        update reservation.events
        set version = $2, is_cancelled = true, is_releasing = true, changed_at = $3
        where event_id = $1`,
      values: [eventId, version, now],
    });
  });
}

/**
 * Stops new reservations of an event, or lets them in again. Holds can be paid all the same.
 *
 * @throws BoxofficeError EVENT_NOT_FOUND, EVENT_CANCELLED
 */
export function pauseSales(
  { database, newId }: SaleOptions,
  eventId: string,
  isPaused: boolean,
  act: Act,
): Promise<void> {
  return database.transaction(async (tx) => {
    const { event, now } = await lockEvent(tx, eventId);
    if (event.isCancelled) throw new BoxofficeError("EVENT_CANCELLED", "This event is cancelled.");
    if (event.isPaused === isPaused) return;
    await tx.query({
      text: "update reservation.events set is_paused = $2, changed_at = $3 where event_id = $1",
      values: [eventId, isPaused, now],
    });
    await appendAudit(tx, "reservation", newId, now, { ...act, target: eventId, eventId });
  });
}

/** Waits for every batch that is selling tickets of the event, and keeps others out. */
async function lockEvent(tx: Transaction, eventId: string): Promise<{ event: EventSale; now: Date }> {
  const [[row], [clock]] = await Promise.all([
    tx.query<EventRow>({
      text: `select ${EVENT_COLUMNS} from reservation.events where event_id = $1 for update`,
      values: [eventId],
    }),
    tx.query<{ now: Date }>({ name: "clock", text: "select reservation.clock() as now" }),
  ]);
  if (row === undefined || clock === undefined) throw eventNotFound();
  return { event: toEvent(row), now: clock.now };
}

async function lockTicketType(tx: Transaction, ticketTypeId: string): Promise<TicketType | undefined> {
  const [row] = await tx.query<TicketTypeRow>({
    text: `select ${TICKET_TYPE_COLUMNS} from reservation.ticket_types where ticket_type_id = $1 for update`,
    values: [ticketTypeId],
  });
  return row && toTicketType(row);
}

/** @returns undefined where the ticket type is there already */
async function insertTicketType(
  tx: Transaction,
  eventId: string,
  type: TicketTypeDefinition,
  now: Date,
): Promise<TicketType | undefined> {
  const [row] = await tx.query<TicketTypeRow>({
    text: `
      insert into reservation.ticket_types (ticket_type_id, event_id, position, name, category, price_minor,
        max_per_reservation, sales_start, sales_end, quantity, available, changed_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)
      on conflict (ticket_type_id) do nothing
      returning ${TICKET_TYPE_COLUMNS}`,
    values: [
      type.ticketTypeId,
      eventId,
      type.position,
      type.name,
      type.category,
      type.priceMinor,
      type.maxPerReservation,
      type.salesStart,
      type.salesEnd,
      type.quantity,
      now,
    ],
  });
  return row && toTicketType(row);
}

async function updateTicketType(
  tx: Transaction,
  current: TicketType,
  type: TicketTypeDefinition,
  now: Date,
): Promise<TicketType | undefined> {
  const reserved = reservedOf(current);
  if (type.quantity < reserved) {
    throw new BoxofficeError("QUANTITY_BELOW_RESERVED", `${reserved} tickets of this type are reserved.`, {
      metadata: { ticket_type_id: type.ticketTypeId, reserved },
    });
  }
  const [row] = await tx.query<TicketTypeRow>({
    text: `
      update reservation.ticket_types
      set position = $2, name = $3, category = $4, price_minor = $5, max_per_reservation = $6, sales_start = $7,
          sales_end = $8, quantity = $9, available = $9 - held - paid, definition_version = definition_version + 1,
          stock_version = stock_version + 1, changed_at = $10
      where ticket_type_id = $1
      returning ${TICKET_TYPE_COLUMNS}`,
    values: [
      type.ticketTypeId,
      type.position,
      type.name,
      type.category,
      type.priceMinor,
      type.maxPerReservation,
      type.salesStart,
      type.salesEnd,
      type.quantity,
      now,
    ],
  });
  return row && toTicketType(row);
}
