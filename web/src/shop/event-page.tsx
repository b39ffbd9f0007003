import { CatalogService, EventState } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { useQuery } from "@connectrpc/connect-query";
import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Failure } from "../ui/failure.tsx";
import { Loading } from "../ui/loading.tsx";
import { Notice } from "../ui/notice.tsx";
import { useTitle } from "../ui/use-title.ts";
import { DateLeaf } from "./date-leaf.tsx";
import { OwnHold } from "./own-hold.tsx";
import { TicketChoice } from "./ticket-choice.tsx";

/** One event, and its tickets to choose from. */
export function EventPage({ eventId }: { eventId: string }) {
  const { t, format } = useLanguage();
  const { data, error, refetch } = useQuery(CatalogService.method.getEvent, { eventId }, { staleTime: 5000 });
  const event = data?.event;
  useTitle(event?.name);
  if (event === undefined) {
    if (!error) return <Loading lines={6} />;
    return (
      <Failure isPage error={error} onRetry={() => void refetch()}>
        <Link href="/" className="button">
          {t.notFound.back}
        </Link>
      </Failure>
    );
  }
  return (
    <>
      <p className="crumb">
        <Link href="/" className="back-link">
          ← {t.event.back}
        </Link>
      </p>
      <div className="event">
        <div className="event-about">
          <div className="event-head">
            {event.startsAt && <DateLeaf time={event.startsAt} timeZone={event.timeZone} />}
            <div>
              <h1 dir="auto">{event.name}</h1>
              <p className="event-when">
                {event.startsAt && format.dateTime(event.startsAt, event.timeZone)}
              </p>
              <p className="event-where" dir="auto">
                {event.venue}
              </p>
            </div>
          </div>
          {event.description && (
            <p className="event-description" dir="auto">
              {event.description}
            </p>
          )}
        </div>
        <section className="event-tickets" aria-label={t.event.tickets}>
          <OwnHold eventId={eventId} />
          {event.state === EventState.CANCELLED ? (
            <Notice kind="warning" {...t.event.cancelled} />
          ) : (
            <TicketChoice event={event} />
          )}
        </section>
      </div>
    </>
  );
}
