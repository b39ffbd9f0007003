import { useEffect } from "react";
import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Empty } from "../ui/empty.tsx";
import { Failure } from "../ui/failure.tsx";
import { Loading } from "../ui/loading.tsx";
import { useFragment } from "../ui/use-fragment.ts";
import { useTitle } from "../ui/use-title.ts";
import { rememberReservation } from "./known-reservations.ts";
import { ReservationSteps } from "./reservation-steps.tsx";
import { useReservation } from "./use-reservation.ts";

/** The reservation that the address names after its #: to be paid, or what became of it. */
export function ReservationPage() {
  const { t } = useLanguage();
  const reservationId = useFragment();
  useTitle(t.reservation.title);
  if (reservationId === "") {
    return (
      <Empty isPage {...t.reservation.none}>
        <Link href="/" className="button">
          {t.notFound.back}
        </Link>
      </Empty>
    );
  }
  return <Reservation key={reservationId} reservationId={reservationId} />;
}

function Reservation({ reservationId }: { reservationId: string }) {
  const { t } = useLanguage();
  const { data: told, error, refetch } = useReservation(reservationId);
  const eventId = told?.reservation.eventId;
  useEffect(() => {
    if (eventId !== undefined) rememberReservation({ reservationId, eventId });
  }, [reservationId, eventId]);
  if (told !== undefined) return <ReservationSteps told={told} isStale={error !== null} />;
  if (!error) return <Loading lines={6} />;
  return (
    <Failure isPage error={error} onRetry={() => void refetch()}>
      <Link href="/" className="button">
        {t.notFound.back}
      </Link>
    </Failure>
  );
}
