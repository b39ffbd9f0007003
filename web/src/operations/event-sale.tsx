import type { Event } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { EventStats } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Pending } from "../ui/pending.tsx";
import { Downloads } from "./downloads.tsx";
import { Failures } from "./failures.tsx";
import { Figures } from "./figures.tsx";
import { everReserved, useRate } from "./rate.ts";
import { StockBar } from "./stock-bar.tsx";
import { Timeline } from "./timeline.tsx";
import { TypeTable } from "./type-table.tsx";
import { useEventStats } from "./use-event-stats.ts";
import { useWords } from "./use-words.ts";

/** How an event sells, as it sells. */
export function EventSale({ event }: { event: Event }) {
  const words = useWords();
  const { eventId } = event;
  const { stats, error, isLive, refetch } = useEventStats(eventId);
  if (stats === undefined) {
    return <Pending error={error} onRetry={() => void refetch()} lines={6} />;
  }
  return (
    <>
      <p className={isLive || !error ? "fresh" : "fresh fresh-stale"} role="status">
        {isLive ? words.live : words.polled}
      </p>
      <SaleFigures stats={stats} />
      <div className="panels">
        <Timeline eventId={eventId} />
        <Failures failures={stats.paymentFailures} />
      </div>
      <TypeTable event={event} stats={stats.ticketTypes} />
      <div className="panel panel-acts">
        <Downloads eventId={eventId} name={event.name} />
        <p className="links">
          <Link href={`/operations/reservations?event=${eventId}`}>{words.event.seeReservations}</Link>
          <Link href={`/operations/payments?event=${eventId}`}>{words.event.seePayments}</Link>
          <Link href={`/operations/audit?event=${eventId}`}>{words.event.seeAudit}</Link>
        </p>
      </div>
    </>
  );
}

function SaleFigures({ stats }: { stats: EventStats }) {
  const { format } = useLanguage();
  const { figures: say } = useWords();
  const rate = useRate(everReserved(stats));
  const { timeToPay, lastHour } = stats;
  const recently =
    rate.inLastMinute !== undefined
      ? say.perMinute(format.count(rate.inLastMinute))
      : lastHour && say.lastHour(format.count(lastHour.reserved));
  return (
    <Figures
      figures={[
        {
          label: say.sellThrough,
          value: (
            <>
              {format.percent(stats.sellThrough)}
              <StockBar {...stats} />
            </>
          ),
          hint: say.availableOf(format.count(stats.available), format.count(stats.quantity)),
        },
        {
          label: say.revenue,
          value: format.money(stats.revenue),
          hint: stats.refunded > 0n ? say.refundedHint(format.count(stats.refunded)) : undefined,
        },
        { label: say.reserved, value: format.count(stats.reserved) },
        { label: say.held, value: format.count(stats.held), hint: say.notPaidYet },
        { label: say.paid, value: format.count(stats.paid) },
        { label: say.rate, value: format.decimal(rate.perSecond), hint: recently },
        {
          label: say.conversion,
          value: format.percent(stats.reservations?.conversion ?? 0),
          hint: say.conversionHint,
        },
        ...(timeToPay?.median
          ? [
              {
                label: say.timeToPay,
                value: format.duration(durationMs(timeToPay.median)),
                hint: timeToPay.p95 && say.timeToPayHint(format.duration(durationMs(timeToPay.p95))),
              },
            ]
          : []),
      ]}
    />
  );
}
