import type { Event } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { TicketTypeAvailability } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { type FormEvent, useState } from "react";
import { explain } from "../language/explain.ts";
import { useLanguage } from "../language/language.tsx";
import { Notice } from "../ui/notice.tsx";
import { Pending } from "../ui/pending.tsx";
import { Contact, type ContactDetails } from "./contact.tsx";
import { Opening } from "./opening.tsx";
import { isBuyable, statusOf, statusOfAll } from "./sale-status.ts";
import { Standstill } from "./standstill.tsx";
import { TicketRow } from "./ticket-row.tsx";
import { useAvailability } from "./use-availability.ts";
import { type Quantities, useChoice } from "./use-choice.ts";
import { useReserve } from "./use-reserve.ts";

/** The tickets of an event with what is left of them, what of it is chosen, and the button that reserves it. */
export function TicketChoice({ event }: { event: Event }) {
  const { t, format } = useLanguage();
  const { eventId, timeZone } = event;
  const availability = useAvailability(eventId);
  const types = inOrder(availability.data?.ticketTypes, event);
  const { choice, choose, clear } = useChoice(eventId, types);
  const [contact, setContact] = useState<ContactDetails>({ name: "", email: "" });
  const { reserve, isReserving, error, wasLost } = useReserve(eventId, clear);
  if (types === undefined) {
    const { error: failure, refetch } = availability;
    return <Pending error={failure} onRetry={() => void refetch()} lines={4} />;
  }
  const status = statusOfAll(types);
  const total = totalOf(types, choice.quantities);
  const submit = (submitted: FormEvent) => {
    submitted.preventDefault();
    if (total.count > 0) reserve(choice.quantities, contact);
  };
  return (
    <form className="choice" onSubmit={submit}>
      <div className="choice-head">
        <h2>{t.event.choose}</h2>
        <Freshness isStale={availability.isError && !availability.isLive} isLive={availability.isLive} />
      </div>
      <Opening types={types} refetch={availability.refetch} />
      <Standstill status={status} />
      <ul className="rows">
        {types.map((type) => (
          <TicketRow
            key={type.ticketTypeId}
            type={type}
            status={statusOf(type)}
            timeZone={timeZone}
            quantity={choice.quantities[type.ticketTypeId] ?? 0}
            isReduced={choice.reduced.has(type.ticketTypeId)}
            onChoose={(quantity) => choose(type.ticketTypeId, quantity)}
          />
        ))}
      </ul>
      {error && <ReserveFailure error={error} types={types} />}
      {wasLost && !error && <Notice kind="info" {...t.event.pending} />}
      {isBuyable(status) && <Contact details={contact} onChange={setContact} />}
      <div className="choice-foot">
        <p className="choice-total" role="status">
          <span>{t.event.chosen(format.count(total.count), total.count === 1)}</span>
          <strong>{format.money(total.price)}</strong>
        </p>
        <button type="submit" className="button button-main" disabled={total.count === 0 || isReserving}>
          {isReserving ? t.event.reserving : t.event.reserve}
        </button>
      </div>
      <p className="hint">{t.event.heldFor}</p>
    </form>
  );
}

function ReserveFailure({ error, types }: { error: unknown; types: readonly TicketTypeAvailability[] }) {
  const { t } = useLanguage();
  const { refusal } = explain(t, error);
  const about = types.find(({ ticketTypeId }) => ticketTypeId === refusal.metadata.ticket_type_id);
  const { title, advice } = explain(t, error, { type: about?.name });
  return <Notice kind="error" title={title} advice={advice} />;
}

/** Whether what is left is up to date. */
function Freshness({ isStale, isLive }: { isStale: boolean; isLive: boolean }) {
  const { t } = useLanguage();
  if (isStale) return <p className="fresh fresh-stale">{t.reconnecting}</p>;
  return <p className="fresh">{isLive ? t.event.live : t.event.notLive}</p>;
}

/** In the order that the event has them. */
function inOrder(types: readonly TicketTypeAvailability[] | undefined, { ticketTypes }: Event) {
  const place = new Map(ticketTypes.map(({ ticketTypeId }, index) => [ticketTypeId, index]));
  const placeOf = ({ ticketTypeId }: TicketTypeAvailability) => place.get(ticketTypeId) ?? place.size;
  return types?.toSorted((a, b) => placeOf(a) - placeOf(b));
}

function totalOf(types: readonly TicketTypeAvailability[], quantities: Quantities) {
  const chosen = types.map((type) => ({ type, quantity: quantities[type.ticketTypeId] ?? 0 }));
  const count = chosen.reduce((sum, { quantity }) => sum + quantity, 0);
  const minorUnits = chosen.reduce(
    (sum, { type, quantity }) => sum + BigInt(quantity) * (type.price?.minorUnits ?? 0n),
    0n,
  );
  return {
    count,
    price: { $typeName: "boxoffice.common.v1.Money" as const, currencyCode: "EUR", minorUnits },
  };
}
