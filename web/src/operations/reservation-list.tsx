import {
  type Reservation,
  ReservationService,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { useInfiniteQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { useDeferredValue, useId, useState } from "react";
import { useSearchParams } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Empty } from "../ui/empty.tsx";
import { Pending } from "../ui/pending.tsx";
import { EventFilter } from "./event-filter.tsx";
import { EventName } from "./event-name.tsx";
import { MoreButton } from "./more-button.tsx";
import { ReservationBadge } from "./reservation-badge.tsx";
import { RESERVATION_STATES, STATE_NAMES, type StateName } from "./reservation-state.ts";
import { TableFrame } from "./table-frame.tsx";
import { useWords } from "./use-words.ts";

const POLL_MS = 5000;
const PAGE_SIZE = 50;

/** The newest reservations, narrowed to an event, a state or a buyer. A buyer's e-mail goes into no address. */
export function ReservationList({ onOpen }: { onOpen(reservationId: string): void }) {
  const { reservations: say } = useWords();
  const [parameters, setParameters] = useSearchParams();
  const eventId = parameters.get("event") ?? "";
  const [state, setState] = useState<StateName | "">("");
  const [email, setEmail] = useState("");
  const stateId = useId();
  const emailId = useId();
  const query = useInfiniteQuery(
    ReservationService.method.listReservations,
    {
      pageSize: PAGE_SIZE,
      pageToken: "",
      eventId,
      states: state === "" ? [] : [RESERVATION_STATES[state]],
      email: useDeferredValue(email).trim(),
    },
    {
      pageParamKey: "pageToken",
      getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
      placeholderData: keepPreviousData,
      refetchInterval: POLL_MS,
    },
  );
  const { data, error, refetch } = query;
  const reservations = data?.pages.flatMap((page) => page.reservations);
  return (
    <>
      <div className="filters">
        <EventFilter
          eventId={eventId}
          onChange={(event) => setParameters(event ? { event } : {}, { replace: true })}
        />
        <span className="choice-of">
          <label htmlFor={stateId}>{say.state}</label>
          <select
            id={stateId}
            value={state}
            onChange={(event) => setState(event.target.value as StateName | "")}
          >
            <option value="">{say.allStates}</option>
            {STATE_NAMES.map((name) => (
              <option key={name} value={name}>
                {say.states[name]}
              </option>
            ))}
          </select>
        </span>
        <span className="choice-of">
          <label htmlFor={emailId}>{say.email}</label>
          <input
            id={emailId}
            type="search"
            autoComplete="off"
            maxLength={254}
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        </span>
      </div>
      {reservations?.length === 0 && <Empty {...say.empty} />}
      {reservations && reservations.length > 0 && <Table reservations={reservations} onOpen={onOpen} />}
      {!reservations && <Pending error={error} onRetry={() => void refetch()} lines={5} />}
      <MoreButton query={query} />
    </>
  );
}

type TableProps = { reservations: readonly Reservation[]; onOpen(reservationId: string): void };

function Table({ reservations, onOpen }: TableProps) {
  const { format } = useLanguage();
  const { reservations: say } = useWords();
  return (
    <section className="panel">
      <TableFrame label={say.title}>
        <thead>
          <tr>
            <th scope="col">{say.time}</th>
            <th scope="col">{say.event}</th>
            <th scope="col">{say.tickets}</th>
            <th scope="col">{say.customer}</th>
            <th scope="col" className="number">
              {say.total}
            </th>
            <th scope="col">{say.state}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {reservations.map(({ reservationId, eventId, createTime, items, customer, total, state }) => (
            <tr key={reservationId}>
              <th scope="row" className="moment">
                {createTime && format.moment(createTime)}
              </th>
              <td>
                <EventName eventId={eventId} />
              </td>
              <td>{items.map(({ name, quantity }) => `${format.count(quantity)} × ${name}`).join(", ")}</td>
              <td>{customer?.name || customer?.email || <span className="hint">{say.nobody}</span>}</td>
              <td className="number">{format.price(total)}</td>
              <td>
                <ReservationBadge state={state} />
              </td>
              <td>
                <button
                  type="button"
                  className="button button-small"
                  aria-label={say.openOf(reservationId)}
                  onClick={() => onOpen(reservationId)}
                >
                  {say.open}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </TableFrame>
    </section>
  );
}
