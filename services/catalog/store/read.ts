import type { Queryable } from "@boxoffice/platform/database.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import type { EventState } from "../domain/event.ts";
import { EVENT_COLUMNS, type EventRow, type StoredEvent, toStoredEvent } from "./rows.ts";

/**
 * @param states those that the caller may see; an event in another one looks as if it did not exist
 * @throws BoxofficeError EVENT_NOT_FOUND
 */
export async function getEvent(
  on: Queryable,
  eventId: string,
  states: readonly EventState[],
): Promise<StoredEvent> {
  const [row] = await on.query<EventRow>({
    name: "get-event",
    text: `
      select ${EVENT_COLUMNS} from catalog.events e
      where e.event_id = $1 and e.state = any($2::text[])`,
    values: [eventId, states],
  });
  if (row === undefined) throw eventNotFound();
  return toStoredEvent(row);
}

export type EventFilter = {
  /** Each must stand in the name or the venue, in any case. */
  words: readonly string[];
  startsAfter: Date | null;
  states: readonly EventState[];
};

/** By the time they start: `limit` events behind the one that the page before ended with. */
export async function listEvents(
  on: Queryable,
  { words, startsAfter, states }: EventFilter,
  after: { startsAt: Date; eventId: string } | undefined,
  limit: number,
): Promise<StoredEvent[]> {
  const rows = await on.query<EventRow>({
    name: "list-events",
    text: `
      select ${EVENT_COLUMNS} from catalog.events e
      where e.state = any($1::text[])
        and (e.name || E'\\n' || e.venue) ilike all ($2::text[])
        and ($3::timestamptz is null or e.starts_at > $3)
        and ($4::timestamptz is null or (e.starts_at, e.event_id) > ($4, $5::uuid))
      order by e.starts_at, e.event_id
      limit $6`,
    values: [
      states,
      words.map((word) => `%${escapeLike(word)}%`),
      startsAfter,
      after?.startsAt ?? null,
      after?.eventId ?? null,
      limit,
    ],
  });
  return rows.map(toStoredEvent);
}

export function eventNotFound(): BoxofficeError {
  return new BoxofficeError("EVENT_NOT_FOUND", "There is no such event.");
}

const escapeLike = (text: string): string => text.replace(/[\\%_]/g, "\\$&");
