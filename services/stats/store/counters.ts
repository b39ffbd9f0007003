import type { Transaction } from "@boxoffice/platform/database.ts";
import type { FailureChange, ReservationCounts, TicketCounts } from "../domain/counts.ts";

// Each is a MERGE: an INSERT ... ON CONFLICT would check its own row first, which may hold a count below 0, to be
// added. That a MERGE does not mind rows inserted meanwhile is no matter under the lock of stats.progress.

/** Adds to the tickets counted by ticket type. */
export async function addTickets(tx: Transaction, changes: ReadonlyMap<string, TicketCounts>): Promise<void> {
  if (changes.size === 0) return;
  const counts = [...changes.values()];
  await tx.query({
    name: "add-tickets",
    text: `
      merge into stats.ticket_type_counts c
      using unnest($1::uuid[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[])
        as d (ticket_type_id, held, paid, expired, cancelled, refunded, revenue_minor)
      on c.ticket_type_id = d.ticket_type_id
      when matched then update
        set held = c.held + d.held, paid = c.paid + d.paid, expired = c.expired + d.expired,
            cancelled = c.cancelled + d.cancelled, refunded = c.refunded + d.refunded,
            revenue_minor = c.revenue_minor + d.revenue_minor
      when not matched then
        insert (ticket_type_id, held, paid, expired, cancelled, refunded, revenue_minor)
        values (d.ticket_type_id, d.held, d.paid, d.expired, d.cancelled, d.refunded, d.revenue_minor)`,
    values: [
      [...changes.keys()],
      counts.map(({ held }) => held),
      counts.map(({ paid }) => paid),
      counts.map(({ expired }) => expired),
      counts.map(({ cancelled }) => cancelled),
      counts.map(({ refunded }) => refunded),
      counts.map(({ revenueMinor }) => revenueMinor),
    ],
  });
}

/** Adds to the reservations counted by event. */
export async function addReservations(
  tx: Transaction,
  changes: ReadonlyMap<string, ReservationCounts>,
): Promise<void> {
  if (changes.size === 0) return;
  const counts = [...changes.values()];
  await tx.query({
    name: "add-reservations",
    text: `
      merge into stats.event_counts c
      using unnest($1::uuid[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[])
        as d (event_id, held, paid, expired, cancelled, ever_paid)
      on c.event_id = d.event_id
      when matched then update
        set held = c.held + d.held, paid = c.paid + d.paid, expired = c.expired + d.expired,
            cancelled = c.cancelled + d.cancelled, ever_paid = c.ever_paid + d.ever_paid
      when not matched then
        insert (event_id, held, paid, expired, cancelled, ever_paid)
        values (d.event_id, d.held, d.paid, d.expired, d.cancelled, d.ever_paid)`,
    values: [
      [...changes.keys()],
      counts.map(({ held }) => held),
      counts.map(({ paid }) => paid),
      counts.map(({ expired }) => expired),
      counts.map(({ cancelled }) => cancelled),
      counts.map(({ everPaid }) => everPaid),
    ],
  });
}

/** Adds to the failed payments counted by event and reason. */
export async function addFailures(tx: Transaction, changes: readonly FailureChange[]): Promise<void> {
  if (changes.length === 0) return;
  await tx.query({
    name: "add-failures",
    text: `
      merge into stats.payment_failures f
      using unnest($1::uuid[], $2::text[], $3::int8[]) as d (event_id, reason, failures)
      on f.event_id = d.event_id and f.reason = d.reason
      when matched then update set failures = f.failures + d.failures
      when not matched then insert (event_id, reason, failures) values (d.event_id, d.reason, d.failures)`,
    values: [
      changes.map(({ eventId }) => eventId),
      changes.map(({ reason }) => reason),
      changes.map(({ failures }) => failures),
    ],
  });
}
