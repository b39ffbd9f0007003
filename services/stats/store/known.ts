import { type Database, plainArray, type Queryable } from "@boxoffice/platform/database.ts";
import type {
  Changes,
  Event,
  EventState,
  Payment,
  Reservation,
  TicketType,
  Versioned,
} from "../domain/changes.ts";
import { shownGeneration } from "./progress.ts";
import { type PaymentRow, type ReservationRow, toPayment, toReservation, toTime } from "./rows.ts";

/** Of some reservations what is known of them. */
export async function knownReservations(
  on: Queryable,
  generation: number,
  reservations: readonly Reservation[],
): Promise<Reservation[]> {
  if (reservations.length === 0) return [];
  const rows = await on.query<ReservationRow>({
    name: "known-reservations",
    text: `
      select r.reservation_ref, r.event_id, r.version, r.state, r.created_at, r.paid_at, r.closed_at, r.items
      from unnest($2::timestamptz[], $3::uuid[]) as k (created_at, reservation_ref)
      join stats.reservations r on r.generation = $1
        and r.created_at = k.created_at and r.reservation_ref = k.reservation_ref`,
    values: [
      generation,
      plainArray(reservations.map(({ createdMs }) => toTime(createdMs))),
      plainArray(reservations.map(({ id }) => id)),
    ],
  });
  return rows.map(toReservation);
}

/** Of some payments what is known of them. */
export async function knownPayments(
  on: Queryable,
  generation: number,
  payments: readonly Payment[],
): Promise<Payment[]> {
  if (payments.length === 0) return [];
  const rows = await on.query<PaymentRow>({
    name: "known-payments",
    text: `
      select payment_id, event_id, version, state, failure_reason from stats.payments
      where generation = $1 and payment_id = any($2::uuid[])`,
    values: [generation, payments.map(({ id }) => id)],
  });
  return rows.map(toPayment);
}

async function knownEvents(
  on: Queryable,
  generation: number,
  events: readonly Versioned[],
): Promise<Event[]> {
  type Row = {
    event_id: string;
    version: bigint;
    name: string;
    starts_at: Date;
    time_zone: string;
    state: EventState;
  };
  const rows = await on.query<Row>({
    text: `
      select event_id, version, name, starts_at, time_zone, state from stats.events
      where generation = $1 and event_id = any($2::uuid[])`,
    values: [generation, events.map(({ id }) => id)],
  });
  return rows.map(({ event_id, version, name, starts_at, time_zone, state }) => ({
    id: event_id,
    eventId: event_id,
    version,
    name,
    startsAt: starts_at,
    timeZone: time_zone,
    state,
  }));
}

async function knownTicketTypes(
  on: Queryable,
  generation: number,
  types: readonly Versioned[],
): Promise<TicketType[]> {
  type Row = {
    ticket_type_id: string;
    event_id: string;
    version: bigint;
    position: number;
    name: string;
    category: string;
    quantity: number;
  };
  const rows = await on.query<Row>({
    text: `
      select ticket_type_id, event_id, version, position, name, category, quantity from stats.ticket_types
      where generation = $1 and ticket_type_id = any($2::uuid[])`,
    values: [generation, types.map(({ id }) => id)],
  });
  return rows.map(({ ticket_type_id, event_id, ...type }) => ({
    id: ticket_type_id,
    eventId: event_id,
    ...type,
  }));
}

/** What is known, in the generation that is shown, of some entities. */
export type Known = Omit<Changes, "asOf">;

export async function readKnown(database: Database, of: Known): Promise<Known> {
  return database.transaction(async (tx) => {
    const generation = await shownGeneration(tx);
    const [events, ticketTypes, reservations, payments] = await Promise.all([
      knownEvents(tx, generation, of.events),
      knownTicketTypes(tx, generation, of.ticketTypes),
      knownReservations(tx, generation, of.reservations),
      knownPayments(tx, generation, of.payments),
    ]);
    return { events, ticketTypes, reservations, payments };
  });
}
