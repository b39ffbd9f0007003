import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import {
  type Reservation,
  ReservationState,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { useQuery } from "@connectrpc/connect-query";
import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { CopyButton } from "../ui/copy-button.tsx";

/** What was reserved, as a ticket with its stub. */
export function Ticket({ reservation }: { reservation: Reservation }) {
  const { t, format } = useLanguage();
  const { reservationId, eventId, state, items, total } = reservation;
  const { data } = useQuery(CatalogService.method.getEvent, { eventId }, { staleTime: 60_000 });
  const event = data?.event;
  const say = t.reservation;
  const isOver = state === ReservationState.EXPIRED || state === ReservationState.CANCELLED;
  return (
    <article className={isOver ? "ticket ticket-off" : "ticket"} aria-label={say.items}>
      <header className="ticket-event">
        {event ? (
          <>
            <h2 dir="auto">
              <Link href={`/events/${eventId}`} className="ticket-link">
                {event.name}
              </Link>
            </h2>
            <p>{event.startsAt && format.dateTime(event.startsAt, event.timeZone)}</p>
            <p dir="auto">{event.venue}</p>
          </>
        ) : (
          <div className="loading">
            <span className="loading-line" />
            <span className="loading-line" />
          </div>
        )}
      </header>
      <ul className="ticket-items">
        {items.map(({ ticketTypeId, name, quantity, unitPrice }) => (
          <li key={ticketTypeId}>
            <span className="ticket-count">{format.count(quantity)} ×</span>
            <span dir="auto">{name}</span>
            <span className="ticket-each">
              {unitPrice?.minorUnits ? say.each(format.money(unitPrice)) : t.free}
            </span>
          </li>
        ))}
      </ul>
      <p className="ticket-total">
        <span>{say.total}</span>
        <strong>{format.money(total)}</strong>
      </p>
      <footer className="ticket-stub">
        <p className="ticket-label">{say.reference}</p>
        <p className="ticket-id">{reservationId}</p>
        {!isOver && <p className="hint">{say.referenceHint}</p>}
        <div className="ticket-acts">
          <CopyButton text={() => reservationId} label={t.copy} />
          <CopyButton text={() => location.href} label={say.link} />
        </div>
      </footer>
    </article>
  );
}
