import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { type Reservation, reservationNotFound } from "./reservation.ts";
import { type EventSale, eventNotFound } from "./sale.ts";
import { moveTickets, type StockChanges } from "./stock.ts";
import type { Facts, Transition } from "./transitions.ts";

/** A wish to change one reservation. */
export type ChangeRequest = {
  reservationId: string;
  /** The payment in question, where there is one. */
  paymentId: string | null;
  /** Unless it is refused, this payment may never begin from here on. */
  abortsPayment: boolean;
  /** What becomes of the reservation; refuses by throwing a BoxofficeError. */
  decide(facts: Facts): Transition;
};

/** What is known when the rows are locked. */
export type ChangeSnapshot = {
  reservations: ReadonlyMap<string, Reservation>;
  events: ReadonlyMap<string, EventSale>;
  /** Those of the requests' payments that were aborted before. */
  abortedPayments: ReadonlySet<string>;
  /** By the database's clock, read after the locks were taken. */
  now: Date;
};

export type ChangeOutcome =
  /** How the reservation is now, changed or not. */
  { kind: "done"; reservation: Reservation; now: Date } | { kind: "refused"; error: BoxofficeError };

export type ChangeDecision = {
  /** One for each request, in their order. */
  outcomes: ChangeOutcome[];
  /** Reservations that are not what they were, as they are after the last request. */
  changed: Reservation[];
  /** Every version that came to be, in order: of each reservation, the last one is in `changed`. */
  versions: Reservation[];
  stock: StockChanges;
  /** Payments to remember as aborted. */
  aborted: { paymentId: string; reservationId: string }[];
};

/** Decides requests in the order of their arrival. Each sees what those before it made of its reservation. */
export function decideChanges(requests: readonly ChangeRequest[], snapshot: ChangeSnapshot): ChangeDecision {
  const { events, now } = snapshot;
  const changed = new Map<string, Reservation>();
  const versions: Reservation[] = [];
  const abortedPayments = new Set(snapshot.abortedPayments);
  const stock: StockChanges = new Map();
  const aborted: ChangeDecision["aborted"] = [];

  function decideOne({ reservationId, paymentId, abortsPayment, decide }: ChangeRequest): ChangeOutcome {
    const before = changed.get(reservationId) ?? snapshot.reservations.get(reservationId);
    if (before === undefined) throw reservationNotFound();
    const event = events.get(before.eventId);
    if (event === undefined) throw eventNotFound();
    const isAborted = paymentId !== null && abortedPayments.has(paymentId);
    const { reservation, move } = decide({ reservation: before, event, isAborted, now });
    if (abortsPayment && paymentId !== null && !isAborted) {
      abortedPayments.add(paymentId);
      aborted.push({ paymentId, reservationId });
    }
    if (reservation !== before) {
      changed.set(reservationId, reservation);
      versions.push(reservation);
    }
    if (move) moveTickets(stock, reservation, move);
    return { kind: "done", reservation, now };
  }

  const outcomes = requests.map((request): ChangeOutcome => {
    try {
      return decideOne(request);
    } catch (error) {
      if (error instanceof BoxofficeError) return { kind: "refused", error };
      throw error;
    }
  });
  return { outcomes, changed: [...changed.values()], versions, stock, aborted };
}
