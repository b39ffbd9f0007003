import {
  type Reservation,
  ReservationState,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useLanguage } from "../language/language.tsx";
import { Notice } from "../ui/notice.tsx";
import { Countdown } from "./countdown.tsx";
import { GiveBack } from "./give-back.tsx";
import { PaymentForm } from "./payment-form.tsx";
import { ReservationOutcome } from "./reservation-outcome.tsx";
import { Ticket } from "./ticket.tsx";
import { TimeOver } from "./time-over.tsx";
import { refreshReservation, type ToldReservation } from "./use-reservation.ts";
import { useTimeLeft } from "./use-time-left.ts";

/** A reservation from the hold to its end. */
export function ReservationSteps({ told, isStale }: { told: ToldReservation; isStale: boolean }) {
  const { t } = useLanguage();
  const { reservation } = told;
  return (
    <>
      <h1 className="unseen">{t.reservation.title}</h1>
      {isStale && <Notice kind="warning" title={t.reconnecting} />}
      <div className="reservation">
        {reservation.state === ReservationState.HELD ? (
          <Held told={told} />
        ) : (
          <ReservationOutcome reservation={reservation} />
        )}
        <Ticket reservation={reservation} />
      </div>
    </>
  );
}

function Held({ told: { reservation, endsAtMs } }: { told: ToldReservation }) {
  const { t } = useLanguage();
  const leftMs = useTimeLeft(endsAtMs) ?? 0;
  const isOver = leftMs === 0;
  useWhenOver(reservation, isOver);
  if (isOver) return <TimeOver eventId={reservation.eventId} />;
  return (
    <section className="pay" aria-label={t.reservation.pay.title}>
      <Countdown leftMs={leftMs} />
      <PaymentForm reservation={reservation} leftMs={leftMs} />
      <GiveBack reservation={reservation} />
    </section>
  );
}

/** The hold is over on this page's clock; the box office, which decides, is asked what has become of it. */
function useWhenOver({ reservationId }: Reservation, isOver: boolean): void {
  const client = useQueryClient();
  useEffect(() => {
    if (isOver) void refreshReservation(client, reservationId);
  }, [client, reservationId, isOver]);
}
