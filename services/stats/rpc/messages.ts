import { euro } from "@boxoffice/platform/parse.ts";
import type {
  CategoryStatsSchema,
  EventStatsSchema,
  OverviewSchema,
  ReservationCountsSchema,
} from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ReservationCounts } from "../domain/counts.ts";
import { conversionOf, reservedOf, sellThroughOf, type TicketFigures, totalOf } from "../domain/figures.ts";
import type { CategoryStats, EventStats, Overview } from "../store/read.ts";

export const toOverviewMessage = (overview: Overview): MessageInitShape<typeof OverviewSchema> => ({
  events: overview.events,
  ...toFigures(overview.tickets),
  reservations: toReservationCounts(overview.reservations),
  paymentFailures: overview.paymentFailures,
});

/** An event's totals are the sums of its ticket types. */
export const toEventStatsMessage = (stats: EventStats): MessageInitShape<typeof EventStatsSchema> => ({
  eventId: stats.eventId,
  name: stats.name,
  startsAt: timestampFromDate(stats.startsAt),
  timeZone: stats.timeZone,
  ...toFigures(totalOf(stats.ticketTypes.map(({ tickets }) => tickets))),
  reservations: toReservationCounts(stats.reservations),
  paymentFailures: stats.paymentFailures,
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

const toReservationCounts = (
  counts: ReservationCounts,
): MessageInitShape<typeof ReservationCountsSchema> => ({ ...counts, conversion: conversionOf(counts) });
