import type { Transaction } from "@boxoffice/platform/database.ts";
import { appendOutbox } from "@boxoffice/platform/outbox.ts";
import { type Change, ChangeSchema, EventState } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type Event,
  type Change as EventAndCommand,
  type EventHeader,
  nameKey,
  type TicketType,
} from "../domain/event.ts";
import { toCommandContent } from "./rows.ts";

/** Writes a new event with its ticket types, and the message that says so. */
export async function insertEvent(
  tx: Transaction,
  newId: () => string,
  now: Date,
  { event, ticketTypes }: EventAndCommand,
): Promise<void> {
  await Promise.all([
    tx.query({
      name: "insert-event",
      text: `
        insert into catalog.events
          (event_id, version, name, description, venue, starts_at, time_zone, state, changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      values: [...eventValues(event), now],
    }),
    upsertTicketTypes(tx, event.eventId, ticketTypes),
    announce(tx, newId, now, event),
  ]);
}

/**
 * Writes a change of an event that is locked: its own fields, its ticket types that changed, the command for the
 * sale, and the message.
 */
export async function saveChange(
  tx: Transaction,
  newId: () => string,
  now: Date,
  { event, ticketTypes, command }: EventAndCommand,
): Promise<void> {
  await Promise.all([
    tx.query({
      name: "update-event",
      text: `
        update catalog.events
        set version = $2, name = $3, description = $4, venue = $5, starts_at = $6, time_zone = $7, state = $8,
            changed_at = $9
        where event_id = $1`,
      values: [...eventValues(event), now],
    }),
    upsertTicketTypes(tx, event.eventId, ticketTypes),
    command === null
      ? undefined
      : tx.query({
          name: "insert-command",
          text: `
            insert into catalog.commands (event_id, version, kind, content, attempt_at, created_at)
            values ($1, $2, $3, $4::jsonb, $5, $5)`,
          values: [event.eventId, event.version, command.kind, toCommandContent(command), now],
        }),
    announce(tx, newId, now, event),
  ]);
}

const eventValues = (event: Event) => [
  event.eventId,
  event.version,
  event.name,
  event.description,
  event.venue,
  event.startsAt,
  event.timeZone,
  event.state,
];

async function upsertTicketTypes(
  tx: Transaction,
  eventId: string,
  types: readonly TicketType[],
): Promise<void> {
  if (types.length === 0) return;
  await tx.query({
    name: "upsert-ticket-types",
    text: `
      insert into catalog.ticket_types (event_id, ticket_type_id, position, name, name_key, category, price_minor,
        quantity, max_per_reservation, sales_start, sales_end)
      select $1::uuid, t.* from unnest($2::uuid[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::bigint[],
        $8::integer[], $9::integer[], $10::timestamptz[], $11::timestamptz[]) as t
      on conflict (ticket_type_id) do update
      set name = excluded.name, name_key = excluded.name_key, category = excluded.category,
          price_minor = excluded.price_minor, quantity = excluded.quantity,
          max_per_reservation = excluded.max_per_reservation, sales_start = excluded.sales_start,
          sales_end = excluded.sales_end`,
    values: [
      eventId,
      types.map(({ ticketTypeId }) => ticketTypeId),
      types.map(({ position }) => position),
      types.map(({ name }) => name),
      types.map(({ name }) => nameKey(name)),
      types.map(({ category }) => category),
      types.map(({ priceMinor }) => priceMinor),
      types.map(({ quantity }) => quantity),
      types.map(({ maxPerReservation }) => maxPerReservation),
      types.map(({ salesStart }) => salesStart),
      types.map(({ salesEnd }) => salesEnd),
    ],
  });
}

/** An event as the other services hear of it: its own fields. */
export function eventChange({ eventId, version, name, startsAt, timeZone, state }: EventHeader): Change {
  return create(ChangeSchema, {
    change: {
      case: "event",
      value: {
        eventId,
        version,
        name,
        startsAt: timestampFromDate(startsAt),
        timeZone,
        state: EventState[state],
      },
    },
  });
}

function announce(tx: Transaction, newId: () => string, now: Date, event: Event): void {
  appendOutbox(tx, "catalog", newId, now, [{ eventId: event.eventId, changes: [eventChange(event)] }]);
}
