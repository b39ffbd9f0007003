import { EventStatsSort, StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { useInfiniteQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { useId, useState } from "react";
import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Empty } from "../ui/empty.tsx";
import { MoreButton } from "./more-button.tsx";
import { StockBar } from "./stock-bar.tsx";
import { TableFrame } from "./table-frame.tsx";
import { useWords } from "./use-words.ts";

const POLL_MS = 2000;
const PAGE_SIZE = 50;

const SORTS = {
  soonest: EventStatsSort.UNSPECIFIED,
  reserved: EventStatsSort.RESERVED,
  revenue: EventStatsSort.REVENUE,
  sellThrough: EventStatsSort.SELL_THROUGH,
} as const;

type Sort = keyof typeof SORTS;

/** How every event sells, as it sells. */
export function EventTable() {
  const { format } = useLanguage();
  const words = useWords();
  const say = words.overview;
  const figures = words.figures;
  const [sort, setSort] = useState<Sort>("soonest");
  const sortId = useId();
  const query = useInfiniteQuery(
    StatsService.method.listEventStats,
    { pageSize: PAGE_SIZE, pageToken: "", sort: SORTS[sort] },
    {
      pageParamKey: "pageToken",
      getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
      placeholderData: keepPreviousData,
      refetchInterval: POLL_MS,
    },
  );
  const { data } = query;
  const events = data?.pages.flatMap((page) => page.eventStats);
  if (events === undefined) return null;
  if (events.length === 0) {
    return (
      <Empty {...say.empty}>
        <Link href="/operations/new" className="button button-main">
          {say.create}
        </Link>
      </Empty>
    );
  }
  return (
    <section className="panel">
      <div className="panel-head">
        <h2>{say.events}</h2>
        <span className="choice-of">
          <label htmlFor={sortId}>{say.sort}</label>
          <select id={sortId} value={sort} onChange={(event) => setSort(event.target.value as Sort)}>
            {(Object.keys(SORTS) as Sort[]).map((one) => (
              <option key={one} value={one}>
                {say.sorts[one]}
              </option>
            ))}
          </select>
        </span>
      </div>
      <TableFrame label={say.events}>
        <thead>
          <tr>
            <th scope="col">{say.event}</th>
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
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr key={event.eventId}>
              <th scope="row">
                <Link href={`/operations/events/${event.eventId}`} dir="auto">
                  {event.name}
                </Link>
                <span className="hint">
                  {event.startsAt && format.shortDateTime(event.startsAt, event.timeZone)}
                </span>
              </th>
              <td>
                <span className="sold">
                  {format.percent(event.sellThrough)}
                  <StockBar {...event} />
                </span>
              </td>
              <td className="number">{format.count(event.paid)}</td>
              <td className="number">{format.count(event.held)}</td>
              <td className="number">{format.count(event.available)}</td>
              <td className="number">{format.money(event.revenue)}</td>
            </tr>
          ))}
        </tbody>
      </TableFrame>
      <MoreButton query={query} />
    </section>
  );
}
