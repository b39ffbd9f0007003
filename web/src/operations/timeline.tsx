import {
  type SalesInterval,
  StatsService,
  TimelineInterval,
} from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { timestampMs } from "../api/timestamp.ts";
import { useLanguage } from "../language/language.tsx";
import { Pending } from "../ui/pending.tsx";
import { Chart, type Series } from "./chart.tsx";
import { useWords } from "./use-words.ts";

const POLL_MS = 5000;

const INTERVALS = {
  minute: TimelineInterval.MINUTE,
  hour: TimelineInterval.HOUR,
  day: TimelineInterval.DAY,
} as const;

type IntervalName = keyof typeof INTERVALS;
const INTERVAL_NAMES = Object.keys(INTERVALS) as IntervalName[];

/** What was reserved and paid when. @param eventId empty for all events together */
export function Timeline({ eventId }: { eventId: string }) {
  const { chart: say } = useWords();
  const [interval, setInterval] = useState<IntervalName>("minute");
  const { data, error, refetch } = useQuery(
    StatsService.method.getSalesTimeline,
    { eventId, interval: INTERVALS[interval] },
    { refetchInterval: POLL_MS, placeholderData: keepPreviousData },
  );
  return (
    <section className="panel panel-wide">
      <div className="panel-head">
        <h2>{say.title}</h2>
        <fieldset className="segments">
          <legend className="unseen">{say.interval}</legend>
          {INTERVAL_NAMES.map((name) => (
            <label key={name}>
              <input
                type="radio"
                name={`interval-${eventId}`}
                checked={interval === name}
                onChange={() => setInterval(name)}
              />
              <span>{say.intervals[name]}</span>
            </label>
          ))}
        </fieldset>
      </div>
      {data && <Flow intervals={data.intervals} timeZone={data.timeZone} name={interval} />}
      {!data && <Pending error={error} onRetry={() => void refetch()} lines={4} />}
    </section>
  );
}

type FlowProps = { intervals: readonly SalesInterval[]; timeZone: string; name: IntervalName };

function Flow({ intervals, timeZone, name }: FlowProps) {
  const { format, locale } = useLanguage();
  const { chart: say, figures } = useWords();
  const times = useMemo(
    () => intervals.map(({ startTime }) => (startTime ? timestampMs(startTime) / 1000 : 0)),
    [intervals],
  );
  const series = useMemo<Series[]>(
    () => [
      { label: figures.reserved, colour: "--info", values: countsOf(intervals, "reserved") },
      { label: figures.paid, colour: "--good", values: countsOf(intervals, "paid") },
    ],
    [intervals, figures],
  );
  const [reserved = 0, paid = 0] = series.map(({ values }) => values.reduce((sum, value) => sum + value, 0));
  const revenue = intervals.reduce((sum, { sales }) => sum + (sales?.revenue?.minorUnits ?? 0n), 0n);
  const summary = say.summary(
    say.spans[name],
    format.count(reserved),
    format.count(paid),
    format.cents(revenue),
  );
  return (
    <>
      <Chart
        summary={summary}
        times={times}
        series={series}
        locale={locale}
        timeZone={timeZone}
        formatValue={format.count}
      />
      <p className="hint">{summary}</p>
      <AsTable intervals={intervals} timeZone={timeZone} />
    </>
  );
}

/** The same in figures, the latest first, without the intervals in which nothing happened. */
function AsTable({ intervals, timeZone }: Omit<FlowProps, "name">) {
  const { format } = useLanguage();
  const { chart: say, figures } = useWords();
  const busy = intervals
    .filter(({ sales }) => sales !== undefined && (sales.reserved > 0n || sales.paid > 0n))
    .toReversed();
  return (
    <details className="as-table">
      <summary>{say.asTable}</summary>
      {busy.length === 0 ? (
        <p className="hint">{say.empty}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">{say.time}</th>
              <th scope="col" className="number">
                {figures.reserved}
              </th>
              <th scope="col" className="number">
                {figures.paid}
              </th>
              <th scope="col" className="number">
                {figures.revenue}
              </th>
            </tr>
          </thead>
          <tbody>
            {busy.map(({ startTime, sales }) => (
              <tr key={String(startTime?.seconds)}>
                <th scope="row">{startTime && format.shortDateTime(startTime, timeZone)}</th>
                <td className="number">{format.count(sales?.reserved ?? 0n)}</td>
                <td className="number">{format.count(sales?.paid ?? 0n)}</td>
                <td className="number">{format.money(sales?.revenue)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}

function countsOf(intervals: readonly SalesInterval[], field: "reserved" | "paid"): number[] {
  return intervals.map(({ sales }) => Number(sales?.[field] ?? 0n));
}
