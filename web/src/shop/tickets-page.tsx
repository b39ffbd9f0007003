import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { ReservationState } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { useQuery } from "@connectrpc/connect-query";
import { Link } from "wouter";
import { refusalOf } from "../api/refusal.ts";
import { clock } from "../language/formats.ts";
import { useLanguage } from "../language/language.tsx";
import { Empty } from "../ui/empty.tsx";
import { useTitle } from "../ui/use-title.ts";
import { forgetReservation, type KnownReservation, useKnownReservations } from "./known-reservations.ts";
import { type ToldReservation, useReservation } from "./use-reservation.ts";
import { useTimeLeft } from "./use-time-left.ts";

/** The reservations that this browser knows. */
export function TicketsPage() {
  const { t } = useLanguage();
  const known = useKnownReservations();
  useTitle(t.yours.title);
  return (
    <>
      <div className="intro">
        <h1>{t.yours.title}</h1>
        <p>{t.yours.lead}</p>
      </div>
      {known.length === 0 ? (
        <Empty {...t.yours.empty}>
          <Link href="/" className="button button-main">
            {t.notFound.back}
          </Link>
        </Empty>
      ) : (
        <ul className="yours">
          {known.map((one) => (
            <Known key={one.reservationId} known={one} />
          ))}
        </ul>
      )}
    </>
  );
}

function Known({ known: { reservationId, eventId } }: { known: KnownReservation }) {
  const { t, format } = useLanguage();
  const { data: told, error } = useReservation(reservationId);
  const { data } = useQuery(CatalogService.method.getEvent, { eventId }, { staleTime: 60_000 });
  const isGone = error !== null && refusalOf(error).cause === "RESERVATION_NOT_FOUND";
  const event = data?.event;
  return (
    <li className="known">
      <div>
        <h2 dir="auto">
          <Link href={`/reservation#${reservationId}`}>{event?.name ?? t.reservation.title}</Link>
        </h2>
        <p>{event?.startsAt && format.shortDateTime(event.startsAt, event.timeZone)}</p>
        <p className="hint">
          {told?.reservation.items
            .map(({ name, quantity }) => `${format.count(quantity)} × ${name}`)
            .join(", ")}
        </p>
        <p>
          {told && <State told={told} />}
          {isGone && <span className="badge badge-off">{t.yours.gone}</span>}
        </p>
      </div>
      {(isGone || isOver(told)) && (
        <button
          type="button"
          className="button button-small"
          aria-label={`${t.yours.forget}: ${event?.name ?? reservationId}`}
          onClick={() => forgetReservation(reservationId)}
        >
          {t.yours.forget}
        </button>
      )}
    </li>
  );
}

function State({ told: { reservation, endsAtMs } }: { told: ToldReservation }) {
  const { t } = useLanguage();
  const leftMs = useTimeLeft(endsAtMs);
  const say = t.yours.states;
  switch (reservation.state) {
    case ReservationState.HELD:
      if (!leftMs) return <span className="badge badge-off">{say.expired}</span>;
      return <span className="badge badge-few">{say.held(clock(leftMs).clock)}</span>;
    case ReservationState.PAYING:
      return <span className="badge badge-few">{say.paying}</span>;
    case ReservationState.PAID:
      return <span className="badge badge-good">{say.paid}</span>;
    case ReservationState.CANCELLED:
      return <span className="badge badge-off">{say.cancelled}</span>;
    default:
      return <span className="badge badge-off">{say.expired}</span>;
  }
}

function isOver(told: ToldReservation | undefined): boolean {
  const state = told?.reservation.state;
  return state === ReservationState.EXPIRED || state === ReservationState.CANCELLED;
}
