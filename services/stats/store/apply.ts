import type { Database, Transaction } from "@boxoffice/platform/database.ts";
import {
  type Changes,
  type Event,
  newest,
  type Payment,
  type Replacement,
  type Reservation,
  replacements,
  type TicketType,
} from "../domain/changes.ts";
import { countChanges, failureChanges } from "../domain/counts.ts";
import { addFailures, addReservations, addTickets } from "./counters.ts";
import {
  type PaymentRow,
  type ReservationRow,
  toItemsJson,
  toPayment,
  toRef,
  toReservation,
} from "./rows.ts";

/**
 * Counts changes in one transaction: keeps the newest version of each entity, and replaces what it contributed
 * to the counters before. Versions not above what is known change nothing, so changes may be applied again, in
 * any order, and by several consumers at once.
 */
export async function applyChanges(database: Database, changes: Changes): Promise<void> {
  const events = newest(changes.events);
  const ticketTypes = newest(changes.ticketTypes);
  const reservations = newest(changes.reservations);
  const payments = newest(changes.payments);
  if (events.length + ticketTypes.length + reservations.length + payments.length === 0) return;
  await database.transaction(async (tx) => {
    const [known] = await Promise.all([
      lockKnown(tx, reservations, payments),
      upsertEvents(tx, events),
      upsertTicketTypes(tx, ticketTypes),
    ]);
    const newReservations = replacements(known.reservations, reservations);
    const newPayments = replacements(known.payments, payments);
    const { tickets, reservations: counts } = countChanges(newReservations);
    await Promise.all([
      upsertReservations(tx, newReservations),
      upsertPayments(tx, newPayments),
      addTickets(tx, tickets),
      addReservations(tx, counts),
      addFailures(tx, failureChanges(newPayments)),
      advance(tx, changes.asOf),
    ]);
  });
}

/**
 * Reads what may be replaced, and keeps every other consumer from replacing anything until the transaction ends.
 * The statements after the lock see what the consumers before us committed.
 */
async function lockKnown(
  tx: Transaction,
  reservations: readonly Reservation[],
  payments: readonly Payment[],
): Promise<{ reservations: Reservation[]; payments: Payment[] }> {
  const [[progress], reservationRows, paymentRows] = await Promise.all([
    tx.query({ name: "lock-progress", text: "select as_of from stats.progress for update" }),
    reservations.length === 0
      ? []
      : tx.query<ReservationRow>({
          name: "known-reservations",
          text: `
            select reservation_ref, event_id, version, state, was_paid, items from stats.reservations
            where reservation_ref = any($1::bytea[])`,
          values: [reservations.map(({ id }) => toRef(id))],
        }),
    payments.length === 0
      ? []
      : tx.query<PaymentRow>({
          name: "known-payments",
          text: `
            select payment_id, event_id, version, state, failure_reason from stats.payments
            where payment_id = any($1::uuid[])`,
          values: [payments.map(({ id }) => id)],
        }),
  ]);
  if (progress === undefined) throw new Error("the one row of stats.progress is missing");
  return { reservations: reservationRows.map(toReservation), payments: paymentRows.map(toPayment) };
}

async function upsertEvents(tx: Transaction, events: readonly Event[]): Promise<void> {
  if (events.length === 0) return;
  await tx.query({
    name: "upsert-events",
    text: `
      insert into stats.events as e (event_id, version, name, starts_at, time_zone, state)
      select * from unnest($1::uuid[], $2::int8[], $3::text[], $4::timestamptz[], $5::text[], $6::text[])
      on conflict (event_id) do update
      set version = excluded.version, name = excluded.name, starts_at = excluded.starts_at,
          time_zone = excluded.time_zone, state = excluded.state
      where e.version < excluded.version`,
    values: [
      events.map(({ id }) => id),
      events.map(({ version }) => version),
      events.map(({ name }) => name),
      events.map(({ startsAt }) => startsAt),
      events.map(({ timeZone }) => timeZone),
      events.map(({ state }) => state),
    ],
  });
}

async function upsertTicketTypes(tx: Transaction, types: readonly TicketType[]): Promise<void> {
  if (types.length === 0) return;
  await tx.query({
    name: "upsert-ticket-types",
    text: `
      insert into stats.ticket_types as t
        (ticket_type_id, event_id, version, position, name, category, quantity)
      select * from unnest($1::uuid[], $2::uuid[], $3::int8[], $4::int4[], $5::text[], $6::text[], $7::int4[])
      on conflict (ticket_type_id) do update
      set event_id = excluded.event_id, version = excluded.version, position = excluded.position,
          name = excluded.name, category = excluded.category, quantity = excluded.quantity
      where t.version < excluded.version`,
    values: [
      types.map(({ id }) => id),
      types.map(({ eventId }) => eventId),
      types.map(({ version }) => version),
      types.map(({ position }) => position),
      types.map(({ name }) => name),
      types.map(({ category }) => category),
      types.map(({ quantity }) => quantity),
    ],
  });
}

async function upsertReservations(
  tx: Transaction,
  replaced: readonly Replacement<Reservation>[],
): Promise<void> {
  if (replaced.length === 0) return;
  const reservations = replaced.map(({ after }) => after);
  await tx.query({
    name: "upsert-reservations",
    text: `
      insert into stats.reservations (reservation_ref, event_id, version, state, was_paid, items)
      select * from unnest($1::bytea[], $2::uuid[], $3::int8[], $4::text[], $5::bool[], $6::jsonb[])
      on conflict (reservation_ref) do update
      set event_id = excluded.event_id, version = excluded.version, state = excluded.state,
          was_paid = excluded.was_paid, items = excluded.items`,
    values: [
      reservations.map(({ id }) => toRef(id)),
      reservations.map(({ eventId }) => eventId),
      reservations.map(({ version }) => version),
      reservations.map(({ state }) => state),
      reservations.map(({ wasPaid }) => wasPaid),
      reservations.map(({ items }) => toItemsJson(items)),
    ],
  });
}

async function upsertPayments(tx: Transaction, replaced: readonly Replacement<Payment>[]): Promise<void> {
  if (replaced.length === 0) return;
  const payments = replaced.map(({ after }) => after);
  await tx.query({
    name: "upsert-payments",
    text: `
      insert into stats.payments (payment_id, event_id, version, state, failure_reason)
      select * from unnest($1::uuid[], $2::uuid[], $3::int8[], $4::text[], $5::text[])
      on conflict (payment_id) do update
      set event_id = excluded.event_id, version = excluded.version, state = excluded.state,
          failure_reason = excluded.failure_reason`,
    values: [
      payments.map(({ id }) => id),
      payments.map(({ eventId }) => eventId),
      payments.map(({ version }) => version),
      payments.map(({ state }) => state),
      payments.map(({ failureReason }) => failureReason),
    ],
  });
}

/** `greatest` ignores nulls: before the first change there is no time, and a message need not tell one. */
async function advance(tx: Transaction, asOf: Date | null): Promise<void> {
  await tx.query({
    name: "advance",
    text: "update stats.progress set as_of = greatest(as_of, $1::timestamptz)",
    values: [asOf],
  });
}
