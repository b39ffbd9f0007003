import { type Event, EventState } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { Money } from "@boxoffice/proto/boxoffice/common/v1/money_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { useQuery } from "@connectrpc/connect-query";
import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { DateLeaf } from "./date-leaf.tsx";
import { SaleBadge } from "./sale-badge.tsx";
import { statusOfAll } from "./sale-status.ts";

/** On a list, "few left" may be this old, in milliseconds. */
const LIST_FRESH_MS = 10_000;

/** An event on the list: when, what, where, from which price, and how the sale stands. */
export function EventCard({ event }: { event: Event }) {
  const { format } = useLanguage();
  const { eventId, name, venue, startsAt, timeZone, state, ticketTypes } = event;
  const isCancelled = state === EventState.CANCELLED;
  const { data } = useQuery(
    ReservationService.method.getAvailability,
    { eventId },
    { enabled: !isCancelled, staleTime: LIST_FRESH_MS, refetchInterval: LIST_FRESH_MS, retry: 1 },
  );
  const status = isCancelled ? ({ kind: "cancelled" } as const) : data && statusOfAll(data.ticketTypes);
  return (
    <li className={isCancelled ? "card card-off" : "card"}>
      {startsAt && <DateLeaf time={startsAt} timeZone={timeZone} />}
      <div className="card-text">
        <h2 dir="auto">
          <Link href={`/events/${eventId}`} className="card-link">
            {name}
          </Link>
        </h2>
        <p className="card-when">{startsAt && format.shortDateTime(startsAt, timeZone)}</p>
        <p className="card-where" dir="auto">
          {venue}
        </p>
        <p className="card-foot">
          {!isCancelled && <Price prices={ticketTypes.flatMap(({ price }) => price ?? [])} />}
          {status && <SaleBadge status={status} timeZone={timeZone} />}
        </p>
      </div>
    </li>
  );
}

/** Where a card is about to be. */
export function EventCardOutline() {
  return (
    <li className="card">
      <span className="leaf loading-line" />
      <div className="card-text loading">
        <span className="loading-line" />
        <span className="loading-line" />
        <span className="loading-line" />
      </div>
    </li>
  );
}

/** The only price that there is, or the lowest. */
function Price({ prices }: { prices: readonly Money[] }) {
  const { t, format } = useLanguage();
  const [lowest, ...others] = prices.toSorted((a, b) => Number(a.minorUnits - b.minorUnits));
  if (lowest === undefined) return null;
  const isOnly = others.every(({ minorUnits }) => minorUnits === lowest.minorUnits);
  return (
    <span className="card-price">{isOnly ? format.price(lowest) : t.events.from(format.money(lowest))}</span>
  );
}
