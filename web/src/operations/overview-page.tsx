import { PaymentService, PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { useQuery } from "@connectrpc/connect-query";
import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Pending } from "../ui/pending.tsx";
import { useTitle } from "../ui/use-title.ts";
import { Drafts } from "./drafts.tsx";
import { EventTable } from "./event-table.tsx";
import { Failures } from "./failures.tsx";
import { Figures } from "./figures.tsx";
import { everReserved, useRate } from "./rate.ts";
import { Timeline } from "./timeline.tsx";
import { useWords } from "./use-words.ts";

const POLL_MS = 2000;

/** Beyond so many it is only told that there are more. */
const MOST_UNKNOWN = 100;

/** All events together, and each in a line. */
export function OverviewPage() {
  const { overview: say } = useWords();
  useTitle(say.title);
  return (
    <>
      <div className="intro intro-acts">
        <h1>{say.title}</h1>
        <Link href="/operations/new" className="button button-main">
          {say.create}
        </Link>
      </div>
      <Overview />
      <EventTable />
      <Drafts />
    </>
  );
}

function Overview() {
  const { format } = useLanguage();
  const words = useWords();
  const { data, error, refetch } = useQuery(
    StatsService.method.getOverview,
    {},
    { refetchInterval: POLL_MS },
  );
  const unknown = useUnknownPayments();
  const overview = data?.overview;
  const rate = useRate(overview && everReserved(overview));
  if (overview === undefined) {
    return <Pending error={error} onRetry={() => void refetch()} lines={4} />;
  }
  const say = words.figures;
  return (
    <>
      <Figures
        figures={[
          {
            label: say.revenue,
            value: format.money(overview.revenue),
            hint: overview.refunded > 0n ? say.refundedHint(format.count(overview.refunded)) : undefined,
          },
          {
            label: say.paid,
            value: format.count(overview.paid),
            hint: say.ofQuantity(format.count(overview.quantity)),
          },
          { label: say.held, value: format.count(overview.held), hint: say.notPaidYet },
          {
            label: say.rate,
            value: format.decimal(rate.perSecond),
            hint: overview.lastHour && say.lastHour(format.count(overview.lastHour.reserved)),
          },
          {
            label: say.conversion,
            value: format.percent(overview.reservations?.conversion ?? 0),
            hint: say.conversionHint,
          },
          {
            label: say.unknownPayments,
            value: (
              <Link href="/operations/payments?state=unknown">
                {format.count(unknown)}
                {unknown === MOST_UNKNOWN && "+"}
              </Link>
            ),
            hint: unknown > 0 ? say.toSettle : say.nothingToSettle,
            isAlert: unknown > 0,
          },
        ]}
      />
      <div className="panels">
        <Timeline eventId="" />
        <Failures failures={overview.paymentFailures} />
      </div>
    </>
  );
}

function useUnknownPayments(): number {
  const { data } = useQuery(
    PaymentService.method.listPayments,
    { states: [PaymentState.UNKNOWN], pageSize: MOST_UNKNOWN },
    { refetchInterval: 5 * POLL_MS },
  );
  return data?.payments.length ?? 0;
}
