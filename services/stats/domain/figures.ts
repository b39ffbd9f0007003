import type { ReservationCounts, TicketCounts } from "./counts.ts";
import type { Flow } from "./flow.ts";

/** Counts of any number of batches. */
export type Totals<Counts> = { [Name in keyof Counts]: bigint };

/** What there is of some ticket types and what became of it. `available` is what is neither held nor paid. */
export type TicketFigures = Totals<TicketCounts> & { quantity: bigint; available: bigint };

export type ReservationFigures = Totals<ReservationCounts>;
export type FlowFigures = Totals<Flow>;

/** The sum of some ticket types. */
export function totalOf(types: readonly TicketFigures[]): TicketFigures {
  const sum = (figure: (type: TicketFigures) => bigint) => types.reduce((so, type) => so + figure(type), 0n);
  return {
    quantity: sum(({ quantity }) => quantity),
    available: sum(({ available }) => available),
    held: sum(({ held }) => held),
    paid: sum(({ paid }) => paid),
    expired: sum(({ expired }) => expired),
    cancelled: sum(({ cancelled }) => cancelled),
    refunded: sum(({ refunded }) => refunded),
    revenueMinor: sum(({ revenueMinor }) => revenueMinor),
  };
}

/** The tickets held and paid. */
export const reservedOf = ({ held, paid }: TicketFigures): bigint => held + paid;

/** The part of the quantity that is paid; 0 where there is none. */
export const sellThroughOf = ({ paid, quantity }: TicketFigures): number => ratio(paid, quantity);

/**
 * Of the reservations that came to an end, the part that was ever paid; 0 before any did. Every reservation that
 * is paid or closed was either ever paid or closed unpaid, so these are the divisor.
 */
export const conversionOf = ({ everPaid, paid, expired, cancelled }: ReservationFigures): number =>
  ratio(everPaid, paid + expired + cancelled);

const ratio = (part: bigint, whole: bigint): number => (whole === 0n ? 0 : Number(part) / Number(whole));
