import {
  AvailabilityStatus,
  type TicketTypeAvailability,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampMs } from "../api/timestamp.ts";

/** How the sale of a ticket type, or of a whole event, stands. */
export type SaleStatus =
  | { kind: "left" | "few"; available: number }
  | { kind: "notYet"; opensAt: Timestamp | undefined }
  | { kind: "soldOut" | "paused" | "closed" | "cancelled" };

/** Few are left when no more than one in ten is. */
const FEW_DIVISOR = 10;

export function statusOf(type: TicketTypeAvailability): SaleStatus {
  switch (type.status) {
    case AvailabilityStatus.ON_SALE:
      return left(type.available, type.quantity);
    case AvailabilityStatus.NOT_YET:
      return { kind: "notYet", opensAt: type.salesStart };
    case AvailabilityStatus.PAUSED:
      return { kind: "paused" };
    case AvailabilityStatus.CANCELLED:
      return { kind: "cancelled" };
    case AvailabilityStatus.CLOSED:
      return { kind: "closed" };
    default:
      return { kind: "soldOut" };
  }
}

/** The event as a whole: what can be bought counts first, then what is about to be. */
export function statusOfAll(types: readonly TicketTypeAvailability[]): SaleStatus {
  const onSale = types.filter(({ status }) => status === AvailabilityStatus.ON_SALE);
  if (onSale.length > 0) return left(sum(onSale, "available"), sum(types, "quantity"));
  const statuses = types.map(statusOf);
  const [notYet] = statuses.filter((status): status is NotYet => status.kind === "notYet").sort(byOpening);
  if (notYet !== undefined) return notYet;
  return (
    statuses.find(({ kind }) => kind === "paused" || kind === "soldOut") ?? statuses[0] ?? { kind: "closed" }
  );
}

/** Whether a ticket of this type can be chosen. */
export function isBuyable(status: SaleStatus): boolean {
  return status.kind === "left" || status.kind === "few";
}

function left(available: number, quantity: number): SaleStatus {
  if (available === 0) return { kind: "soldOut" };
  return { kind: available * FEW_DIVISOR <= quantity ? "few" : "left", available };
}

function sum(types: readonly TicketTypeAvailability[], field: "available" | "quantity"): number {
  return types.reduce((total, type) => total + type[field], 0);
}

type NotYet = Extract<SaleStatus, { kind: "notYet" }>;
const byOpening = (a: NotYet, b: NotYet): number => openingMs(a) - openingMs(b);
const openingMs = ({ opensAt }: NotYet): number =>
  opensAt ? timestampMs(opensAt) : Number.POSITIVE_INFINITY;
