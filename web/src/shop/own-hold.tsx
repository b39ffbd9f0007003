import { ReservationState } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { Link } from "wouter";
import { clock } from "../language/formats.ts";
import { useLanguage } from "../language/language.tsx";
import { Notice } from "../ui/notice.tsx";
import { useKnownReservations } from "./known-reservations.ts";
import { useReservation } from "./use-reservation.ts";
import { useTimeLeft } from "./use-time-left.ts";

/** Whoever comes back to an event is led to the tickets that they hold already, lest they take them twice. */
export function OwnHold({ eventId }: { eventId: string }) {
  const known = useKnownReservations().find((one) => one.eventId === eventId);
  return known && <Hold reservationId={known.reservationId} />;
}

function Hold({ reservationId }: { reservationId: string }) {
  const { t } = useLanguage();
  const { data } = useReservation(reservationId);
  const leftMs = useTimeLeft(data?.endsAtMs);
  const { title, advice } = t.event.yourHold;
  if (data?.reservation.state !== ReservationState.HELD || !leftMs) return null;
  return (
    <div className="own-hold">
      <Notice kind="info" title={title} advice={advice(clock(leftMs).clock)}>
        <Link href={`/reservation#${reservationId}`} className="button">
          {t.event.toHold}
        </Link>
      </Notice>
    </div>
  );
}
