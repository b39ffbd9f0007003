import { euro } from "@boxoffice/platform/parse.ts";
import type {
  CategoryStatsSchema,
  EventStatsSchema,
  OverviewSchema,
  ReservationCountsSchema,
  SalesFlowSchema,
  TimeToPaySchema,
} from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  conversionOf,
  type FlowFigures,
  type ReservationFigures,
  reservedOf,
  sellThroughOf,
  type TicketFigures,
  totalOf,
} from "../domain/figures.ts";
import type { Beside, CategoryStats, EventStats, Overview, TimeToPay } from "../store/read.ts";

export const toOverviewMessage = (overview: Overview): MessageInitShape<typeof OverviewSchema> => ({
  events: overview.events,
  ...toFigures(overview.tickets),
  ...toBeside(overview),
});

/** An event's totals are the sums of its ticket types. */
export const toEventStatsMessage = (stats: EventStats): MessageInitShape<typeof EventStatsSchema> => ({
  eventId: stats.eventId,
  name: stats.name,
  startsAt: timestampFromDate(stats.startsAt),
  timeZone: stats.timeZone,
  ...toFigures(totalOf(stats.ticketTypes.map(({ tickets }) => tickets))),
  ...toBeside(stats),
  ticketTypes: stats.ticketTypes.map(({ ticketTypeId, name, category, tickets }) => ({
    ticketTypeId,
    name,
    category,
    ...toFigures(tickets),
  })),
});

export const toCategoryStatsMessage = ({
  category,
  events,
  tickets,
}: CategoryStats): MessageInitShape<typeof CategoryStatsSchema> => ({
  category,
  events,
  ...toFigures(tickets),
});

/** `as_of` is unset before the first change. */
export const toAsOf = (asOf: Date | null) => asOf && { asOf: timestampFromDate(asOf) };

const toFigures = (tickets: TicketFigures) => ({
  reserved: reservedOf(tickets),
  held: tickets.held,
  paid: tickets.paid,
  expired: tickets.expired,
  cancelled: tickets.cancelled,
  refunded: tickets.refunded,
  available: tickets.available,
  quantity: tickets.quantity,
  revenue: euro(tickets.revenueMinor),
  sellThrough: sellThroughOf(tickets),
});

const toBeside = ({ reservations, paymentFailures, timeToPay, lastHour, hourBefore }: Beside) => ({
  reservations: toReservationCounts(reservations),
  paymentFailures,
  ...(timeToPay && { timeToPay: toTimeToPay(timeToPay) }),
  lastHour: toSalesFlow(lastHour),
  hourBefore: toSalesFlow(hourBefore),
});

const toReservationCounts = (
  counts: ReservationFigures,
): MessageInitShape<typeof ReservationCountsSchema> => ({ ...counts, conversion: conversionOf(counts) });

const toTimeToPay = ({
  reservations,
  medianMs,
  p95Ms,
}: NonNullable<TimeToPay>): MessageInitShape<typeof TimeToPaySchema> => ({
  reservations,
  median: durationFromMs(Math.round(medianMs)),
  p95: durationFromMs(Math.round(p95Ms)),
});

export const toSalesFlow = ({
  revenueMinor,
  refundsMinor,
  ...counts
}: FlowFigures): MessageInitShape<typeof SalesFlowSchema> => ({
  ...counts,
  revenue: euro(revenueMinor),
  refunds: euro(refundsMinor),
});
