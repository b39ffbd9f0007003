import { PaymentService, PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import {
  type Reservation,
  ReservationState,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { useQuery } from "@connectrpc/connect-query";
import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Notice } from "../ui/notice.tsx";
import { TimeOver } from "./time-over.tsx";

const POLL_MS = 2000;

/** What a reservation that is no hold any more has become. */
export function ReservationOutcome({ reservation }: { reservation: Reservation }) {
  const { t } = useLanguage();
  const { state, eventId, paymentId } = reservation;
  const payment = usePaymentState(paymentId, state);
  const say = t.reservation;
  switch (state) {
    case ReservationState.PAYING:
      return (
        <section className="outcome">
          <div className="spinner" aria-hidden="true" />
          <Notice kind="info" {...(payment === PaymentState.UNKNOWN ? say.unknown : say.processing)} />
        </section>
      );
    case ReservationState.PAID:
      return (
        <section className="outcome">
          {payment === PaymentState.REFUNDING ? (
            <Notice kind="info" {...say.refunding} />
          ) : (
            <Notice kind="good" title={say.paid.title} advice={say.paid.advice}>
              <button type="button" className="button" onClick={() => print()}>
                {say.paid.print}
              </button>
              <Link href="/" className="button button-quiet">
                {say.paid.more}
              </Link>
            </Notice>
          )}
        </section>
      );
    case ReservationState.CANCELLED:
      return (
        <section className="outcome">
          <Notice kind="warning" {...(payment === PaymentState.REFUNDED ? say.refunded : say.cancelled)}>
            <Link href={`/events/${eventId}`} className="button button-main">
              {say.again}
            </Link>
          </Notice>
        </section>
      );
    default:
      return <TimeOver eventId={eventId} />;
  }
}

/** The state of the payment that has to do with a reservation, where there is one. */
function usePaymentState(paymentId: string, state: ReservationState): PaymentState | undefined {
  const { data } = useQuery(
    PaymentService.method.getPayment,
    { paymentId },
    {
      enabled: paymentId !== "",
      refetchInterval: state === ReservationState.PAYING ? POLL_MS : false,
    },
  );
  return data?.payment?.state;
}
