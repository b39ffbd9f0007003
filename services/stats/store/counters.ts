import type { Transaction } from "@boxoffice/platform/database.ts";
import type { FailureChange, PayTimeCount, ReservationCounts, TicketCounts } from "../domain/counts.ts";
import type { Slot } from "../domain/flow.ts";
import { toTime } from "./rows.ts";

// Each is a MERGE: an INSERT ... ON CONFLICT would check its own row first, which may hold a count below 0, to be
// added. That a MERGE does not mind rows inserted meanwhile is no matter under the lock of stats.progress.

/** Adds to the tickets counted by ticket type. */
export function addTickets(
  tx: Transaction,
  generation: number,
  changes: ReadonlyMap<string, TicketCounts>,
): void {
  const counts = [...changes];
  if (counts.length === 0) return;
  tx.write({
    name: "add-tickets",
    text: `
      merge into stats.ticket_type_counts c
      using unnest($2::uuid[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[])
        as d (ticket_type_id, held, paid, expired, cancelled, refunded, revenue_minor)
      on c.generation = $1 and c.ticket_type_id = d.ticket_type_id
      when matched then update
        set held = c.held + d.held, paid = c.paid + d.paid, expired = c.expired + d.expired,
            cancelled = c.cancelled + d.cancelled, refunded = c.refunded + d.refunded,
            revenue_minor = c.revenue_minor + d.revenue_minor
      when not matched then
        insert (generation, ticket_type_id, held, paid, expired, cancelled, refunded, revenue_minor)
        values ($1, d.ticket_type_id, d.held, d.paid, d.expired, d.cancelled, d.refunded, d.revenue_minor)`,
    values: [
      generation,
      counts.map(([id]) => id),
      counts.map(([, { held }]) => held),
      counts.map(([, { paid }]) => paid),
      counts.map(([, { expired }]) => expired),
      counts.map(([, { cancelled }]) => cancelled),
      counts.map(([, { refunded }]) => refunded),
      counts.map(([, { revenueMinor }]) => revenueMinor),
    ],
  });
}

/** Adds to the reservations counted by event. */
export function addReservations(
  tx: Transaction,
  generation: number,
  changes: ReadonlyMap<string, ReservationCounts>,
): void {
  const counts = [...changes];
  if (counts.length === 0) return;
  tx.write({
    name: "add-reservations",
    text: `
      merge into stats.event_counts c
      using unnest($2::uuid[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[])
        as d (event_id, held, paid, expired, cancelled, ever_paid)
      on c.generation = $1 and c.event_id = d.event_id
      when matched then update
        set held = c.held + d.held, paid = c.paid + d.paid, expired = c.expired + d.expired,
            cancelled = c.cancelled + d.cancelled, ever_paid = c.ever_paid + d.ever_paid
      when not matched then
        insert (generation, event_id, held, paid, expired, cancelled, ever_paid)
        values ($1, d.event_id, d.held, d.paid, d.expired, d.cancelled, d.ever_paid)`,
    values: [
      generation,
      counts.map(([id]) => id),
      counts.map(([, { held }]) => held),
      counts.map(([, { paid }]) => paid),
      counts.map(([, { expired }]) => expired),
      counts.map(([, { cancelled }]) => cancelled),
      counts.map(([, { everPaid }]) => everPaid),
    ],
  });
}

/** Adds to the failed payments counted by event and reason. */
export function addFailures(tx: Transaction, generation: number, changes: readonly FailureChange[]): void {
  if (changes.length === 0) return;
  tx.write({
    name: "add-failures",
    text: `
      merge into stats.payment_failures c
      using unnest($2::uuid[], $3::text[], $4::int8[])
        as d (event_id, reason, failures)
      on c.generation = $1 and c.event_id = d.event_id and c.reason = d.reason
      when matched then update
        set failures = c.failures + d.failures
      when not matched then
        insert (generation, event_id, reason, failures)
        values ($1, d.event_id, d.reason, d.failures)`,
    values: [
      generation,
      changes.map(({ eventId }) => eventId),
      changes.map(({ reason }) => reason),
      changes.map(({ failures }) => failures),
    ],
  });
}

/** Adds to what happened by the minute and by the quarter of an hour. */
export function addToTimeline(tx: Transaction, generation: number, slots: readonly Slot[]): void {
  if (slots.length === 0) return;
  tx.write({
    name: "add-to-timeline",
    text: `
      merge into stats.timeline c
      using unnest($2::uuid[], $3::int2[], $4::timestamptz[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int8[], $11::int8[], $12::int8[])
        as d (event_id, minutes, start_at, reservations, reserved, paid, expired, cancelled, refunded, revenue_minor, refunds_minor)
      on c.generation = $1 and c.event_id = d.event_id and c.minutes = d.minutes and c.start_at = d.start_at
      when matched then update
        set reservations = c.reservations + d.reservations, reserved = c.reserved + d.reserved,
            paid = c.paid + d.paid, expired = c.expired + d.expired, cancelled = c.cancelled + d.cancelled,
            refunded = c.refunded + d.refunded, revenue_minor = c.revenue_minor + d.revenue_minor,
            refunds_minor = c.refunds_minor + d.refunds_minor
      when not matched then
        insert (generation, event_id, minutes, start_at, reservations, reserved, paid, expired, cancelled, refunded, revenue_minor, refunds_minor)
        values ($1, d.event_id, d.minutes, d.start_at, d.reservations, d.reserved, d.paid, d.expired, d.cancelled, d.refunded, d.revenue_minor, d.refunds_minor)`,
    values: [
      generation,
      slots.map(({ eventId }) => eventId),
      slots.map(({ minutes }) => minutes),
      slots.map(({ startMs }) => toTime(startMs)),
      slots.map(({ flow }) => flow.reservations),
      slots.map(({ flow }) => flow.reserved),
      slots.map(({ flow }) => flow.paid),
      slots.map(({ flow }) => flow.expired),
      slots.map(({ flow }) => flow.cancelled),
      slots.map(({ flow }) => flow.refunded),
      slots.map(({ flow }) => flow.revenueMinor),
      slots.map(({ flow }) => flow.refundsMinor),
    ],
  });
}

/** Adds to the reservations counted by the time they took to be paid. */
export function addPayTimes(tx: Transaction, generation: number, changes: readonly PayTimeCount[]): void {
  if (changes.length === 0) return;
  tx.write({
    name: "add-pay-times",
    text: `
      merge into stats.pay_times c
      using unnest($2::uuid[], $3::int2[], $4::int8[])
        as d (event_id, bucket, reservations)
      on c.generation = $1 and c.event_id = d.event_id and c.bucket = d.bucket
      when matched then update
        set reservations = c.reservations + d.reservations
      when not matched then
        insert (generation, event_id, bucket, reservations)
        values ($1, d.event_id, d.bucket, d.reservations)`,
    values: [
      generation,
      changes.map(({ eventId }) => eventId),
      changes.map(({ bucket }) => bucket),
      changes.map(({ reservations }) => reservations),
    ],
  });
}
