import type { Queryable } from "@boxoffice/platform/database.ts";
import { pages } from "@boxoffice/platform/export.ts";
import type { EventHeader } from "../domain/event.ts";
import type { EventRow } from "./rows.ts";

const PAGE_SIZE = 500;

/** Every event, or one, in pages. */
export function allEvents(on: Queryable, eventId: string | null): AsyncGenerator<EventHeader[]> {
  return pages(
    async (after) => {
      const rows = await on.query<EventRow>({
        text: `
          select event_id, version, name, starts_at, time_zone, state from catalog.events
          where ($1::uuid is null or event_id > $1) and ($3::uuid is null or event_id = $3)
          order by event_id
          limit $2`,
        values: [after, PAGE_SIZE, eventId],
      });
      return rows.map((row) => ({
        eventId: row.event_id,
        version: row.version,
        name: row.name,
        startsAt: row.starts_at,
        timeZone: row.time_zone,
        state: row.state,
      }));
    },
    (event) => event.eventId,
  );
}
