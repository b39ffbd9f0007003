import type { FlowFigures, ReservationFigures, TicketFigures } from "../domain/figures.ts";

export type ReservationCountsRow = {
  held: bigint;
  paid: bigint;
  expired: bigint;
  cancelled: bigint;
  ever_paid: bigint;
};

export const toReservationFigures = (row: ReservationCountsRow | undefined): ReservationFigures => ({
  held: row?.held ?? 0n,
  paid: row?.paid ?? 0n,
  expired: row?.expired ?? 0n,
  cancelled: row?.cancelled ?? 0n,
  everPaid: row?.ever_paid ?? 0n,
});

const FIGURES = [
  "quantity",
  "available",
  "held",
  "paid",
  "expired",
  "cancelled",
  "refunded",
  "revenue_minor",
] as const;

export type FiguresRow = Record<(typeof FIGURES)[number], bigint>;

/** Of `stats.live_figures f`. */
export const FIGURE_COLUMNS = FIGURES.map((column) => `f.${column}`).join(", ");

export const SUMS = FIGURES.map((column) => `coalesce(sum(f.${column}), 0)::int8 as ${column}`).join(", ");

export const toFigures = (row: FiguresRow | undefined): TicketFigures => ({
  quantity: row?.quantity ?? 0n,
  available: row?.available ?? 0n,
  held: row?.held ?? 0n,
  paid: row?.paid ?? 0n,
  expired: row?.expired ?? 0n,
  cancelled: row?.cancelled ?? 0n,
  refunded: row?.refunded ?? 0n,
  revenueMinor: row?.revenue_minor ?? 0n,
});

const FLOWS = [
  "reservations",
  "reserved",
  "paid",
  "expired",
  "cancelled",
  "refunded",
  "revenue_minor",
  "refunds_minor",
] as const;

export type FlowRow = Record<(typeof FLOWS)[number], bigint>;

/** Of `stats.live_timeline`. */
export const FLOW_SUMS = FLOWS.map((column) => `sum(${column})::int8 as ${column}`).join(", ");

export const toFlow = (row: FlowRow | undefined): FlowFigures => ({
  reservations: row?.reservations ?? 0n,
  reserved: row?.reserved ?? 0n,
  paid: row?.paid ?? 0n,
  expired: row?.expired ?? 0n,
  cancelled: row?.cancelled ?? 0n,
  refunded: row?.refunded ?? 0n,
  revenueMinor: row?.revenue_minor ?? 0n,
  refundsMinor: row?.refunds_minor ?? 0n,
});
