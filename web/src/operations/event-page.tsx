import { CatalogService, type Event, EventState } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import {
  AvailabilityStatus,
  ReservationService,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { useQuery } from "@connectrpc/connect-query";
import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Failure } from "../ui/failure.tsx";
import { Loading } from "../ui/loading.tsx";
import { Notice } from "../ui/notice.tsx";
import { useTitle } from "../ui/use-title.ts";
import { EventActs } from "./event-acts.tsx";
import { EventSale } from "./event-sale.tsx";
import { TypeTable } from "./type-table.tsx";
import { useWords } from "./use-words.ts";

const POLL_MS = 5000;

/** One event: how it sells, and what can be done about it. */
export function EventPage({ eventId }: { eventId: string }) {
  const { data, error, refetch } = useQuery(
    CatalogService.method.getEvent,
    { eventId },
    { refetchInterval: ({ state }) => (state.data?.event?.changePending ? POLL_MS / 10 : POLL_MS) },
  );
  const { event: say } = useWords();
  const event = data?.event;
  useTitle(event?.name);
  if (event === undefined) {
    if (!error) return <Loading lines={6} />;
    return (
      <Failure isPage error={error} onRetry={() => void refetch()}>
        <Link href="/operations" className="button">
          {say.back}
        </Link>
      </Failure>
    );
  }
  return <Known event={event} />;
}

function Known({ event }: { event: Event }) {
  const { format } = useLanguage();
  const words = useWords();
  const { eventId, name, venue, startsAt, timeZone, state, changePending } = event;
  const isPaused = usePaused(eventId, state === EventState.PUBLISHED);
  return (
    <>
      <p className="crumb">
        <Link href="/operations" className="back-link">
          ← {words.event.back}
        </Link>
      </p>
      <div className="intro intro-acts">
        <div>
          <h1 dir="auto">{name}</h1>
          <p dir="auto">
            {startsAt && format.dateTime(startsAt, timeZone)} · {venue}
          </p>
          <p className="event-state">
            <StateBadge state={state} isPaused={isPaused} />
            {state !== EventState.DRAFT && <Link href={`/events/${eventId}`}>{words.event.inShop}</Link>}
          </p>
        </div>
        <EventActs event={event} isPaused={isPaused} />
      </div>
      {changePending && <Notice kind="info" title={words.event.pending} />}
      {state === EventState.DRAFT ? <TypeTable event={event} stats={[]} /> : <EventSale event={event} />}
    </>
  );
}

function StateBadge({ state, isPaused }: { state: EventState; isPaused: boolean }) {
  const { states: say } = useWords().event;
  if (state === EventState.DRAFT) return <span className="badge">{say.draft}</span>;
  if (state === EventState.CANCELLED) return <span className="badge badge-off">{say.cancelled}</span>;
  if (isPaused) return <span className="badge badge-few">{say.paused}</span>;
  return <span className="badge badge-good">{say.published}</span>;
}

/** Only the sale knows whether it is paused. */
function usePaused(eventId: string, isPublished: boolean): boolean {
  const { data } = useQuery(
    ReservationService.method.getAvailability,
    { eventId },
    { enabled: isPublished, refetchInterval: POLL_MS },
  );
  return (
    isPublished && (data?.ticketTypes.some(({ status }) => status === AvailabilityStatus.PAUSED) ?? false)
  );
}
