import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { type Reservation, stateAt } from "./reservation.ts";
import type { EventSale } from "./sale.ts";
import type { StockMove } from "./stock.ts";

/** What a decision about an existing reservation is made from: read when the rows are locked. */
export type Facts = {
  reservation: Reservation;
  event: EventSale;
  /** Whether the payment in question was aborted before. */
  isAborted: boolean;
  /** By the database's clock, read after the locks were taken. */
  now: Date;
};

/** What becomes of the reservation: the same object where nothing does. */
export type Transition = {
  reservation: Reservation;
  move?: StockMove;
};

/** HELD → PAYING. Stays so until the payment is confirmed or aborted: no timer ends it. */
export function begin(facts: Facts, paymentId: string, marginMs: number): Transition {
  const { reservation, event, isAborted, now } = facts;
  const state = stateAt(reservation, now);
  if ((state === "PAYING" || state === "PAID") && reservation.paymentId === paymentId) return { reservation };
  if (isAborted) throw aborted(paymentId);
  if (state !== "HELD") throw refusal(reservation, now);
  if (event.isCancelled) throw new BoxofficeError("EVENT_CANCELLED", "This event is cancelled.");
  if (reservation.expiresAt.getTime() - now.getTime() < marginMs) {
    throw new BoxofficeError("RESERVATION_EXPIRING", "Too little time is left to pay for this reservation.");
  }
  return { reservation: { ...next(reservation), state: "PAYING", paymentId } };
}

/** PAYING → PAID. */
export function confirm({ reservation, now }: Facts, paymentId: string): Transition {
  if (reservation.paymentId === paymentId) {
    if (reservation.state === "PAID") return { reservation };
    if (reservation.state === "PAYING") {
      return {
        reservation: { ...next(reservation), state: "PAID", paidAt: now },
        move: { from: "held", to: "paid" },
      };
    }
  }
  throw refusal(reservation, now);
}

/**
 * PAYING → HELD, or EXPIRED when its time is over, or CANCELLED when its event is. A payment that never began
 * leaves the reservation alone; it can never begin afterwards.
 */
export function abort({ reservation, event, now }: Facts, paymentId: string): Transition {
  if (reservation.paymentId !== paymentId || reservation.state === "CANCELLED") return { reservation };
  if (reservation.state === "PAID") throw refusal(reservation, now);
  if (event.isCancelled) return close({ ...reservation, paymentId: null }, "CANCELLED", now);
  if (now >= reservation.expiresAt) return close({ ...reservation, paymentId: null }, "EXPIRED", now);
  return { reservation: { ...next(reservation), state: "HELD", paymentId: null } };
}

/** HELD → CANCELLED. */
export function cancel({ reservation, now }: Facts): Transition {
  if (reservation.state === "CANCELLED") return { reservation };
  if (stateAt(reservation, now) !== "HELD") throw refusal(reservation, now);
  return close(reservation, "CANCELLED", now);
}

/** PAID → CANCELLED, once its money was given back. */
export function releasePaid(
  { reservation, now }: Facts,
  paymentId: string,
  keepOffSale: boolean,
): Transition {
  const isReleased = reservation.state === "CANCELLED" && reservation.paidAt !== null;
  if (reservation.paymentId !== paymentId) throw refusal(reservation, now);
  if (isReleased) return { reservation };
  if (reservation.state !== "PAID") throw refusal(reservation, now);
  return {
    reservation: { ...next(reservation), state: "CANCELLED", closedAt: now },
    move: { from: "paid", to: keepOffSale ? "off sale" : "available" },
  };
}

/** What ends an unpaid hold: its time (EXPIRED), its owner or its event (CANCELLED). */
export function close(reservation: Reservation, state: "EXPIRED" | "CANCELLED", now: Date): Transition {
  return {
    reservation: { ...next(reservation), state, closedAt: now },
    move: { from: "held", to: "available" },
  };
}

const next = (reservation: Reservation): Reservation => ({
  ...reservation,
  version: reservation.version + 1,
});

/** Why nothing can be done with a reservation in this state. */
function refusal(reservation: Reservation, now: Date): BoxofficeError {
  const metadata = reservation.paymentId === null ? {} : { payment_id: reservation.paymentId };
  const state = stateAt(reservation, now);
  switch (state) {
    case "EXPIRED":
      return new BoxofficeError("RESERVATION_EXPIRED", "The time to pay for this reservation is over.");
    case "CANCELLED":
      return new BoxofficeError("RESERVATION_CANCELLED", "This reservation is cancelled.");
    case "PAID":
      return new BoxofficeError("RESERVATION_ALREADY_PAID", "This reservation is paid.", { metadata });
    case "PAYING":
      return new BoxofficeError("PAYMENT_IN_PROGRESS", "A payment for this reservation is under way.", {
        metadata,
      });
    case "HELD":
      return new BoxofficeError("PAYMENT_FAILED", "This payment does not hold the reservation.");
  }
}

function aborted(paymentId: string): BoxofficeError {
  return new BoxofficeError("PAYMENT_FAILED", "This payment was given up and cannot begin again.", {
    metadata: { payment_id: paymentId },
  });
}
