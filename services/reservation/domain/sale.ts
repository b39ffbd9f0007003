import { BoxofficeError } from "@boxoffice/platform/errors.ts";

/** An event as the sale knows it. */
export type EventSale = {
  eventId: string;
  version: bigint;
  startsAt: Date;
  isPaused: boolean;
  isCancelled: boolean;
  changedAt: Date;
};

/** A ticket type and its stock: `quantity` = `available` + `held` + `paid`, always. */
export type TicketType = {
  ticketTypeId: string;
  eventId: string;
  position: number;
  name: string;
  category: string;
  priceMinor: bigint;
  maxPerReservation: number;
  salesStart: Date | null;
  /** Null: until the event starts. */
  salesEnd: Date | null;
  definitionVersion: bigint;
  quantity: number;
  available: number;
  held: number;
  paid: number;
  changedAt: Date;
};

/** What catalog says of a ticket type; how many are reserved is not catalog's to know. */
export type TicketTypeDefinition = Pick<
  TicketType,
  | "ticketTypeId"
  | "position"
  | "name"
  | "category"
  | "priceMinor"
  | "maxPerReservation"
  | "salesStart"
  | "salesEnd"
  | "quantity"
>;

export type SaleStatus = "ON_SALE" | "NOT_YET" | "PAUSED" | "SOLD_OUT" | "CLOSED" | "CANCELLED";

/** Whether a ticket type's sale is open at `now`, apart from pauses and from what is left. */
export function windowAt(
  event: Pick<EventSale, "startsAt">,
  type: Pick<TicketType, "salesStart" | "salesEnd">,
  now: Date,
): "open" | "not yet" | "closed" {
  if (now >= salesEndOf(event, type)) return "closed";
  return type.salesStart !== null && now < type.salesStart ? "not yet" : "open";
}

/** Why a ticket type can or cannot be bought at `now`, for people to read. */
export function statusAt(event: EventSale, type: TicketType, available: number, now: Date): SaleStatus {
  if (event.isCancelled) return "CANCELLED";
  const window = windowAt(event, type, now);
  if (window === "closed") return "CLOSED";
  if (window === "not yet") return "NOT_YET";
  if (event.isPaused) return "PAUSED";
  return available === 0 ? "SOLD_OUT" : "ON_SALE";
}

/**
 * When the last change happened that an answer about this ticket type at `now` reflects: a window that opened or
 * closed by itself is one, and so is a hold that ended (`lastExpiry`).
 */
export function changedAt(event: EventSale, type: TicketType, lastExpiry: Date | null, now: Date): Date {
  const byThemselves = [type.salesStart, salesEndOf(event, type), lastExpiry].filter(
    (time) => time !== null && time <= now,
  );
  return latest([event.changedAt, type.changedAt, ...byThemselves]);
}

/** The latest of some times. */
export function latest(times: readonly (Date | null)[]): Date {
  return times.reduce<Date>((last, time) => (time !== null && time > last ? time : last), new Date(0));
}

/** How many tickets of a type cannot be taken away: the quantity never goes below. */
export const reservedOf = ({ held, paid }: Pick<TicketType, "held" | "paid">): number => held + paid;

const salesEndOf = (event: Pick<EventSale, "startsAt">, type: Pick<TicketType, "salesEnd">): Date =>
  type.salesEnd ?? event.startsAt;

export function eventNotFound(): BoxofficeError {
  return new BoxofficeError("EVENT_NOT_FOUND", "There is no such event.");
}
