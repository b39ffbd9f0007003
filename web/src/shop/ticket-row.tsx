import type { TicketTypeAvailability } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { useId } from "react";
import { useLanguage } from "../language/language.tsx";
import { QuantityStepper } from "./quantity-stepper.tsx";
import { isBuyable, type SaleStatus } from "./sale-status.ts";
import { mostOf } from "./use-choice.ts";

type TicketRowProps = {
  type: TicketTypeAvailability;
  status: SaleStatus;
  timeZone: string;
  quantity: number;
  isReduced: boolean;
  onChoose(quantity: number): void;
};

/** One type of ticket: its price, what is left of it, and how many are chosen. */
export function TicketRow({ type, status, timeZone, quantity, isReduced, onChoose }: TicketRowProps) {
  const { format } = useLanguage();
  const hintId = useId();
  const most = mostOf(type);
  return (
    <li className={isBuyable(status) ? "row" : "row row-off"}>
      <div className="row-text">
        <h3 dir="auto">{type.name}</h3>
        <p className="row-price">{format.price(type.price)}</p>
        <Left status={status} timeZone={timeZone} />
        <p className="hint" id={hintId} role="status">
          {isReduced && <Reduced quantity={quantity} />}
          {!isReduced && isBuyable(status) && <Limit type={type} quantity={quantity} />}
        </p>
      </div>
      {isBuyable(status) && (
        <QuantityStepper
          type={type.name}
          quantity={quantity}
          most={most}
          describedBy={hintId}
          onChoose={onChoose}
        />
      )}
    </li>
  );
}

/** Others were quicker. */
function Reduced({ quantity }: { quantity: number }) {
  const { t, format } = useLanguage();
  return (
    <span className="warn">{quantity > 0 ? t.event.fewerNow(format.count(quantity)) : t.event.goneNow}</span>
  );
}

/** The limit is told where it is small enough to be met, and when it is. */
function Limit({ type, quantity }: { type: TicketTypeAvailability; quantity: number }) {
  const { t, format } = useLanguage();
  const { maxPerReservation } = type;
  const most = format.count(maxPerReservation);
  if (quantity > 0 && quantity >= maxPerReservation)
    return <span className="warn">{t.event.limitReached(most)}</span>;
  return maxPerReservation < type.available ? t.event.limit(most) : null;
}

function Left({ status, timeZone }: { status: SaleStatus; timeZone: string }) {
  const { t, format } = useLanguage();
  const { status: say } = t.event;
  switch (status.kind) {
    case "left":
      return <p className="left">{say.left(format.count(status.available))}</p>;
    case "few":
      return <p className="left left-few">{say.few(format.count(status.available))}</p>;
    case "notYet":
      return (
        <p className="left left-off">
          {status.opensAt && say.notYet(format.shortDateTime(status.opensAt, timeZone))}
        </p>
      );
    case "soldOut":
    case "paused":
    case "closed":
    case "cancelled":
      return <p className="left left-off">{say[status.kind]}</p>;
  }
}
