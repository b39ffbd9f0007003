import { BoxofficeError } from "@boxoffice/platform/errors.ts";

export const RESERVATION_STATES = ["HELD", "PAYING", "PAID", "EXPIRED", "CANCELLED"] as const;
export type ReservationState = (typeof RESERVATION_STATES)[number];

export type Customer = { name: string; email: string };

export type ReservationItem = {
  ticketTypeId: string;
  name: string;
  category: string;
  quantity: number;
  /** As it was when the tickets were reserved. */
  unitPriceMinor: bigint;
};

export type Reservation = {
  reservationId: string;
  eventId: string;
  state: ReservationState;
  /** Rises with every change. */
  version: number;
  items: ReservationItem[];
  totalMinor: bigint;
  customer: Customer | null;
  paymentId: string | null;
  createdAt: Date;
  /** When an unpaid hold ends. It never moves. */
  expiresAt: Date;
  paidAt: Date | null;
  closedAt: Date | null;
};

/** A hold past its time is expired, whether or not the sweeper has been there. */
export function stateAt({ state, expiresAt }: Pick<Reservation, "state" | "expiresAt">, now: Date) {
  return state === "HELD" && now >= expiresAt ? "EXPIRED" : state;
}

/** An id that does not exist and one that is not yours look the same. */
export function reservationNotFound(): BoxofficeError {
  return new BoxofficeError("RESERVATION_NOT_FOUND", "There is no such reservation.");
}

/** Equal for reservations that differ in nothing but their ids, times, customers and payments. */
export function likenessOf({ eventId, state, version, items }: Reservation): string {
  let likeness = `${eventId} ${state} ${version}`;
  for (const { ticketTypeId, name, category, quantity, unitPriceMinor } of items) {
    likeness += ` ${ticketTypeId} ${name} ${category} ${quantity} ${unitPriceMinor}`;
  }
  return likeness;
}

/** Equal for reservations to which everything happened at the same times. */
export function timesOf({ createdAt, expiresAt, paidAt, closedAt }: Reservation): string {
  return `${createdAt.getTime()} ${expiresAt.getTime()} ${paidAt?.getTime()} ${closedAt?.getTime()}`;
}
