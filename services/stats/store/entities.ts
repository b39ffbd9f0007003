import { plainArray, type Transaction } from "@boxoffice/platform/database.ts";
import type { Event, Payment, Replacement, Reservation, TicketType } from "../domain/changes.ts";
import { toItemsJson, toTime } from "./rows.ts";

/** Keeps events, each where its version is newer. */
export function upsertEvents(tx: Transaction, generation: number, events: readonly Event[]): void {
  if (events.length === 0) return;
  tx.write({
    name: "upsert-events",
    text: `
      insert into stats.events as e (generation, event_id, version, name, starts_at, time_zone, state)
      select $1::smallint, d.* from unnest($2::uuid[], $3::int8[], $4::text[], $5::timestamptz[], $6::text[],
        $7::text[]) as d
      on conflict (generation, event_id) do update
      set version = excluded.version, name = excluded.name, starts_at = excluded.starts_at,
          time_zone = excluded.time_zone, state = excluded.state
      where e.version < excluded.version`,
    values: [
      generation,
      events.map(({ id }) => id),
      events.map(({ version }) => version),
      events.map(({ name }) => name),
      events.map(({ startsAt }) => startsAt),
      events.map(({ timeZone }) => timeZone),
      events.map(({ state }) => state),
    ],
  });
}

/** Keeps ticket types, each where its version is newer. */
export function upsertTicketTypes(tx: Transaction, generation: number, types: readonly TicketType[]): void {
  if (types.length === 0) return;
  tx.write({
    name: "upsert-ticket-types",
    text: `
      insert into stats.ticket_types as t
        (generation, ticket_type_id, event_id, version, position, name, category, quantity)
      select $1::smallint, d.* from unnest($2::uuid[], $3::uuid[], $4::int8[], $5::int4[], $6::text[], $7::text[],
        $8::int4[]) as d
      on conflict (generation, ticket_type_id) do update
      set event_id = excluded.event_id, version = excluded.version, position = excluded.position,
          name = excluded.name, category = excluded.category, quantity = excluded.quantity
      where t.version < excluded.version`,
    values: [
      generation,
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

/** Keeps reservations. Which are new is known under the lock, and inserting them is cheaper than asking again. */
export function writeReservations(
  tx: Transaction,
  generation: number,
  replaced: readonly Replacement<Reservation>[],
): void {
  const inserted = replaced.filter(({ before }) => before === undefined).map(({ after }) => after);
  const updated = replaced.filter(({ before }) => before !== undefined).map(({ after }) => after);
  if (inserted.length > 0) {
    tx.write({
      name: "insert-reservations",
      text: `
        insert into stats.reservations
          (generation, created_at, reservation_ref, event_id, version, state, paid_at, closed_at, items)
        select $1::smallint, d.* from unnest($2::timestamptz[], $3::uuid[], $4::uuid[], $5::int8[], $6::text[],
          $7::timestamptz[], $8::timestamptz[], $9::json[]) as d`,
      values: [generation, ...columnsOf(inserted)],
    });
  }
  if (updated.length > 0) {
    tx.write({
      name: "update-reservations",
      text: `
        update stats.reservations r
        set event_id = d.event_id, version = d.version, state = d.state, paid_at = d.paid_at,
            closed_at = d.closed_at, items = d.items
        from unnest($2::timestamptz[], $3::uuid[], $4::uuid[], $5::int8[], $6::text[], $7::timestamptz[],
          $8::timestamptz[], $9::json[])
          as d (created_at, reservation_ref, event_id, version, state, paid_at, closed_at, items)
        where r.generation = $1 and r.created_at = d.created_at and r.reservation_ref = d.reservation_ref`,
      values: [generation, ...columnsOf(updated)],
    });
  }
}

const columnsOf = (reservations: readonly Reservation[]): string[] => [
  plainArray(reservations.map(({ createdMs }) => toTime(createdMs))),
  plainArray(reservations.map(({ id }) => id)),
  plainArray(reservations.map(({ eventId }) => eventId)),
  plainArray(reservations.map(({ version }) => version)),
  plainArray(reservations.map(({ state }) => state)),
  plainArray(reservations.map(({ paidMs }) => paidMs && toTime(paidMs))),
  plainArray(reservations.map(({ closedMs }) => closedMs && toTime(closedMs))),
  plainArray(reservations.map(({ items }) => `"${toItemsJson(items).replaceAll('"', '\\"')}"`)),
];

export function upsertPayments(
  tx: Transaction,
  generation: number,
  replaced: readonly Replacement<Payment>[],
): void {
  if (replaced.length === 0) return;
  const payments = replaced.map(({ after }) => after);
  tx.write({
    name: "upsert-payments",
    text: `
      insert into stats.payments (generation, payment_id, event_id, version, state, failure_reason)
      select $1::smallint, d.* from unnest($2::uuid[], $3::uuid[], $4::int8[], $5::text[], $6::text[]) as d
      on conflict (generation, payment_id) do update
      set event_id = excluded.event_id, version = excluded.version, state = excluded.state,
          failure_reason = excluded.failure_reason`,
    values: [
      generation,
      payments.map(({ id }) => id),
      payments.map(({ eventId }) => eventId),
      payments.map(({ version }) => version),
      payments.map(({ state }) => state),
      payments.map(({ failureReason }) => failureReason),
    ],
  });
}
