import type { Event, TicketType } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { EventState } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { TicketTypeStats } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { useState } from "react";
import { useLanguage } from "../language/language.tsx";
import { ChangeQuantity } from "./change-quantity.tsx";
import { StockBar } from "./stock-bar.tsx";
import { TableFrame } from "./table-frame.tsx";
import { useWords } from "./use-words.ts";

/** The ticket types of an event, with how each sells, once there is something to tell. */
export function TypeTable({ event, stats }: { event: Event; stats: readonly TicketTypeStats[] }) {
  const { format } = useLanguage();
  const words = useWords();
  const { event: say, figures } = words;
  const [changing, setChanging] = useState<TicketType | undefined>();
  const statsOf = (type: TicketType) => stats.find(({ ticketTypeId }) => ticketTypeId === type.ticketTypeId);
  const isDraft = event.state === EventState.DRAFT;
  return (
    <section className="panel">
      <h2>{say.types}</h2>
      <TableFrame label={say.types}>
        <thead>
          <tr>
            <th scope="col">{say.type}</th>
            <th scope="col" className="number">
              {say.price}
            </th>
            {isDraft ? (
              <th scope="col" className="number">
                {say.most}
              </th>
            ) : (
              <>
                <th scope="col">{figures.sellThrough}</th>
                <th scope="col" className="number">
                  {figures.paid}
                </th>
                <th scope="col" className="number">
                  {figures.held}
                </th>
                <th scope="col" className="number">
                  {figures.available}
                </th>
                <th scope="col" className="number">
                  {figures.revenue}
                </th>
              </>
            )}
            <th scope="col" className="number">
              {figures.quantity}
            </th>
            <td />
          </tr>
        </thead>
        <tbody>
          {event.ticketTypes.map((type) => (
            <tr key={type.ticketTypeId}>
              <th scope="row">
                <span dir="auto">{type.name}</span>
                <span className="hint" dir="auto">
                  {type.category}
                </span>
              </th>
              <td className="number">{format.price(type.price)}</td>
              {isDraft ? (
                <td className="number">{format.count(type.maxPerReservation)}</td>
              ) : (
                <Sold stats={statsOf(type)} />
              )}
              <td className="number">{format.count(type.quantity)}</td>
              <td className="number">
                {event.state !== EventState.CANCELLED && (
                  <button
                    type="button"
                    className="button button-small"
                    aria-label={say.changeOf(type.name)}
                    onClick={() => setChanging(type)}
                  >
                    {say.change}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </TableFrame>
      {changing && (
        <ChangeQuantity
          event={event}
          type={changing}
          reserved={statsOf(changing)?.reserved ?? 0n}
          onEnd={() => setChanging(undefined)}
        />
      )}
    </section>
  );
}

function Sold({ stats }: { stats: TicketTypeStats | undefined }) {
  const { format } = useLanguage();
  if (stats === undefined) return <td colSpan={5} />;
  return (
    <>
      <td>
        <span className="sold">
          {format.percent(stats.sellThrough)}
          <StockBar {...stats} />
        </span>
      </td>
      <td className="number">{format.count(stats.paid)}</td>
      <td className="number">{format.count(stats.held)}</td>
      <td className="number">{format.count(stats.available)}</td>
      <td className="number">{format.money(stats.revenue)}</td>
    </>
  );
}
