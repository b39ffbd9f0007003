import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import {
  type Reservation,
  ReservationService,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { useQuery } from "@connectrpc/connect-query";
import { useLanguage } from "../language/language.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Failure } from "../ui/failure.tsx";
import { Loading } from "../ui/loading.tsx";
import { EventName } from "./event-name.tsx";
import { PaymentTable } from "./payment-table.tsx";
import { ReservationBadge } from "./reservation-badge.tsx";
import { useWords } from "./use-words.ts";

const POLL_MS = 2000;

/** One reservation: what, who, and what was paid, with its refund. */
export function ReservationDetails({ reservationId, onEnd }: { reservationId: string; onEnd(): void }) {
  const { t } = useLanguage();
  const { reservations: say, payments } = useWords();
  const { data, error } = useQuery(
    ReservationService.method.getReservation,
    { reservationId },
    { refetchInterval: POLL_MS },
  );
  const reservation = data?.reservation;
  return (
    <Dialog title={payments.reservation} isWide onDismiss={onEnd}>
      <p className="code">
        {reservationId} <CopyButton text={() => reservationId} label={t.copy} />
      </p>
      {reservation && <Facts reservation={reservation} />}
      {!reservation && (error ? <Failure error={error} /> : <Loading lines={4} />)}
      <div className="dialog-acts">
        <button type="button" className="button" onClick={onEnd}>
          {say.close}
        </button>
      </div>
    </Dialog>
  );
}

function Facts({ reservation }: { reservation: Reservation }) {
  const { format } = useLanguage();
  const { reservations: say } = useWords();
  const { reservationId, eventId, state, items, customer, total, createTime } = reservation;
  const { data } = useQuery(
    PaymentService.method.listPayments,
    { reservationId },
    { refetchInterval: POLL_MS },
  );
  return (
    <>
      <dl className="facts">
        <dt>{say.event}</dt>
        <dd>
          <EventName eventId={eventId} />
        </dd>
        <dt>{say.state}</dt>
        <dd>
          <ReservationBadge state={state} />
        </dd>
        <dt>{say.time}</dt>
        <dd>{createTime && format.moment(createTime)}</dd>
        <dt>{say.customer}</dt>
        <dd>{[customer?.name, customer?.email].filter(Boolean).join(", ") || say.nobody}</dd>
        <dt>{say.tickets}</dt>
        <dd>
          {items.map(({ ticketTypeId, name, quantity, unitPrice }) => (
            <div key={ticketTypeId}>
              {format.count(quantity)} × <span dir="auto">{name}</span>, {format.price(unitPrice)}
            </div>
          ))}
        </dd>
        <dt>{say.total}</dt>
        <dd>{format.price(total)}</dd>
      </dl>
      <h3>{say.payments}</h3>
      {data && data.payments.length > 0 && <PaymentTable payments={data.payments} isOfOne />}
      {data?.payments.length === 0 && <p className="hint">{say.noPayments}</p>}
    </>
  );
}
