import { PaymentService, PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { useInfiniteQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { useId } from "react";
import { useSearchParams } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Empty } from "../ui/empty.tsx";
import { Notice } from "../ui/notice.tsx";
import { Pending } from "../ui/pending.tsx";
import { useTitle } from "../ui/use-title.ts";
import { EventFilter } from "./event-filter.tsx";
import { MoreButton } from "./more-button.tsx";
import { PaymentTable } from "./payment-table.tsx";
import { useWords } from "./use-words.ts";

const POLL_MS = 5000;
const PAGE_SIZE = 50;

const FILTERS = {
  all: [],
  unknown: [PaymentState.UNKNOWN],
  failed: [PaymentState.FAILED],
  succeeded: [PaymentState.SUCCEEDED],
  refunding: [PaymentState.REFUNDING],
  refunded: [PaymentState.REFUNDED],
} as const satisfies Record<string, readonly PaymentState[]>;

type Filter = keyof typeof FILTERS;
const FILTER_NAMES = Object.keys(FILTERS) as Filter[];

/** Payments, with what can be done about each. */
export function PaymentsPage() {
  const { payments: say } = useWords();
  const [parameters, setParameters] = useSearchParams();
  const filter = FILTER_NAMES.find((name) => name === parameters.get("state")) ?? "all";
  const eventId = parameters.get("event") ?? "";
  const filterId = useId();
  useTitle(say.title);
  const query = useInfiniteQuery(
    PaymentService.method.listPayments,
    { pageSize: PAGE_SIZE, pageToken: "", states: [...FILTERS[filter]], eventId },
    {
      pageParamKey: "pageToken",
      getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
      placeholderData: keepPreviousData,
      refetchInterval: POLL_MS,
    },
  );
  const { data, error, refetch } = query;
  const payments = data?.pages.flatMap((page) => page.payments);
  const change = (state: string, event: string) =>
    setParameters({ ...(state !== "all" && { state }), ...(event && { event }) }, { replace: true });
  return (
    <>
      <div className="intro">
        <h1>{say.title}</h1>
        <p>{say.lead}</p>
      </div>
      <div className="filters">
        <span className="choice-of">
          <label htmlFor={filterId}>{say.filter}</label>
          <select id={filterId} value={filter} onChange={(event) => change(event.target.value, eventId)}>
            {FILTER_NAMES.map((name) => (
              <option key={name} value={name}>
                {say.filters[name]}
              </option>
            ))}
          </select>
        </span>
        <EventFilter eventId={eventId} onChange={(chosen) => change(filter, chosen)} />
      </div>
      {payments && <Unknown count={payments.filter(({ state }) => state === PaymentState.UNKNOWN).length} />}
      {payments?.length === 0 && <Empty {...say.empty} />}
      {payments && payments.length > 0 && <PaymentTable payments={payments} />}
      {!payments && <Pending error={error} onRetry={() => void refetch()} lines={5} />}
      <MoreButton query={query} />
    </>
  );
}

function Unknown({ count }: { count: number }) {
  const { format } = useLanguage();
  const { payments: say } = useWords();
  if (count === 0) return null;
  return (
    <Notice
      kind="warning"
      title={say.unknownCount(format.count(count), count === 1)}
      advice={say.unknownAdvice}
    />
  );
}
