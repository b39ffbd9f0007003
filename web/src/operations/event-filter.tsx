import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { useQuery } from "@connectrpc/connect-query";
import { useId } from "react";
import { useWords } from "./use-words.ts";

/** The most that one call gives. */
const MOST = 500;
const FRESH_MS = 60_000;

/** Narrows a list to one event. */
export function EventFilter({ eventId, onChange }: { eventId: string; onChange(eventId: string): void }) {
  const { reservations: say } = useWords();
  const selectId = useId();
  const { data } = useQuery(CatalogService.method.listEvents, { pageSize: MOST }, { staleTime: FRESH_MS });
  const events = data?.events ?? [];
  return (
    <span className="choice-of">
      <label htmlFor={selectId}>{say.event}</label>
      <select id={selectId} value={eventId} onChange={(event) => onChange(event.target.value)}>
        <option value="">{say.allEvents}</option>
        {eventId && !events.some((event) => event.eventId === eventId) && (
          <option value={eventId}>{eventId}</option>
        )}
        {events.map((event) => (
          <option key={event.eventId} value={event.eventId}>
            {event.name}
          </option>
        ))}
      </select>
    </span>
  );
}
