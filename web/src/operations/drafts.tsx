import { CatalogService, EventState } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { useQuery } from "@connectrpc/connect-query";
import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { useWords } from "./use-words.ts";

/** More drafts than this at once are nobody's plan. */
const MOST = 100;

/** What is not on sale yet. */
export function Drafts() {
  const { format } = useLanguage();
  const { overview: say } = useWords();
  const { data } = useQuery(CatalogService.method.listEvents, {
    states: [EventState.DRAFT],
    pageSize: MOST,
  });
  if (data === undefined || data.events.length === 0) return null;
  return (
    <section className="panel">
      <h2>{say.drafts}</h2>
      <ul className="plain-list">
        {data.events.map(({ eventId, name, startsAt, timeZone }) => (
          <li key={eventId}>
            <Link href={`/operations/events/${eventId}`} dir="auto">
              {name}
            </Link>
            <span className="hint">{startsAt && format.shortDateTime(startsAt, timeZone)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
