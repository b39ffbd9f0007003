import { type Payment, PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { useState } from "react";
import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { EventName } from "./event-name.tsx";
import { Refund } from "./refund.tsx";
import { Settle } from "./settle.tsx";
import { TableFrame } from "./table-frame.tsx";
import { useWords } from "./use-words.ts";

type PaymentTableProps = {
  payments: readonly Payment[];
  /** All are of one reservation, which is told already. */
  isOfOne?: boolean;
};

type Asked = { act: "settle" | "refund"; payment: Payment };

/** Payments in lines. What an operator can do about one stands at its end. */
export function PaymentTable({ payments, isOfOne = false }: PaymentTableProps) {
  const { format } = useLanguage();
  const words = useWords();
  const { payments: say } = words;
  const [asked, setAsked] = useState<Asked | undefined>();
  const end = () => setAsked(undefined);
  return (
    <section className="panel">
      <TableFrame label={say.title}>
        <thead>
          <tr>
            <th scope="col">{say.time}</th>
            {!isOfOne && (
              <>
                <th scope="col">{say.event}</th>
                <th scope="col">{say.reservation}</th>
              </>
            )}

            <th scope="col" className="number">
              {say.amount}
            </th>
            <th scope="col">{say.state}</th>
            <th scope="col">{say.acts}</th>
          </tr>
        </thead>
        <tbody>
          {payments.map((payment) => (
            <tr key={payment.paymentId}>
              <th scope="row" className="moment">
                {payment.createTime && format.moment(payment.createTime)}
              </th>
              {!isOfOne && (
                <>
                  <td>
                    <EventName eventId={payment.eventId} />
                  </td>
                  <td>
                    <Link href={`/operations/reservations#${payment.reservationId}`} className="code">
                      {shortened(payment.reservationId)}
                    </Link>
                  </td>
                </>
              )}
              <td className="number">{format.money(payment.amount)}</td>
              <td>
                <PaymentBadge payment={payment} />
              </td>
              <td>
                <PaymentActs payment={payment} onAsk={setAsked} />
              </td>
            </tr>
          ))}
        </tbody>
      </TableFrame>
      {asked?.act === "settle" && <Settle payment={asked.payment} onEnd={end} />}
      {asked?.act === "refund" && <Refund payment={asked.payment} onEnd={end} />}
    </section>
  );
}

function PaymentActs({ payment, onAsk }: { payment: Payment; onAsk(asked: Asked): void }) {
  const { payments: say } = useWords();
  const { state } = payment;
  const ask = (act: Asked["act"]) => () => onAsk({ act, payment });
  return (
    <span className="acts">
      {state === PaymentState.SUCCEEDED && (
        <button type="button" className="button button-small" onClick={ask("refund")}>
          {say.refund.open}
        </button>
      )}
      {(state === PaymentState.UNKNOWN || state === PaymentState.REFUNDING) && (
        <button type="button" className="button button-small" onClick={ask("settle")}>
          {say.settle.open}
        </button>
      )}
    </span>
  );
}

function PaymentBadge({ payment: { state, failureReason } }: { payment: Payment }) {
  const { payments: say, failures } = useWords();
  switch (state) {
    case PaymentState.SUCCEEDED:
      return <span className="badge badge-good">{say.states.succeeded}</span>;
    case PaymentState.FAILED:
      return (
        <>
          <span className="badge badge-off">{say.states.failed}</span>
          {failureReason && <span className="hint">{failures.reasons[failureReason] ?? failureReason}</span>}
        </>
      );
    case PaymentState.UNKNOWN:
      return <span className="badge badge-bad">{say.states.unknown}</span>;
    case PaymentState.REFUNDING:
      return <span className="badge badge-few">{say.states.refunding}</span>;
    case PaymentState.REFUNDED:
      return <span className="badge badge-off">{say.states.refunded}</span>;
    default:
      return <span className="badge">{say.states.processing}</span>;
  }
}

/** The end of an id tells ids apart that were made in the same minute; the beginning does not. */
const shortened = (id: string): string => `… ${id.slice(-12)}`;
