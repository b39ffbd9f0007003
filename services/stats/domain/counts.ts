import type { Payment, Replacement, Reservation } from "./changes.ts";
import { ALL_EVENTS, addFlow, type Flow, flowsOf, noFlow, type Slot, timelineOf } from "./flow.ts";
import { bucketOf } from "./pay-time.ts";

/** Tickets of one type by what became of them, and what those that are paid now cost, in cents. */
export type TicketCounts = {
  /** HELD and PAYING. */
  held: number;
  paid: number;
  expired: number;
  /** Refunded included. */
  cancelled: number;
  /** Cancelled after they were paid. */
  refunded: number;
  revenueMinor: bigint;
};

/** Reservations of one event. */
export type ReservationCounts = {
  held: number;
  paid: number;
  expired: number;
  cancelled: number;
  /** Refunded since or not. */
  everPaid: number;
};

/** Reservations of one event, or of all, that took about as long to be paid. */
export type PayTimeCount = { eventId: string; bucket: number; reservations: number };

/** What to add to the counters: tickets by type, reservations by event, and what happened by time. */
export type CountChanges = {
  tickets: Map<string, TicketCounts>;
  reservations: Map<string, ReservationCounts>;
  timeline: Slot[];
  payTimes: PayTimeCount[];
};

/**
 * Takes the old contribution of each reservation back and adds the new one: every statistic of tickets is a sum of
 * contributions. Counters that stay as they are, are left out.
 */
export function countChanges(replaced: readonly Replacement<Reservation>[]): CountChanges {
  const sums = new Sums();
  for (const { before, after } of replaced) {
    if (before !== undefined) sums.add(before, -1);
    sums.add(after, 1);
  }
  return sums.changes();
}

/** Numbers suffice where a batch is summed up; only money is more than they hold. */
class Sums {
  readonly #tickets = new Map<string, TicketCounts>();
  readonly #reservations = new Map<string, ReservationCounts>();
  /** By event and minute. */
  readonly #flows = new Map<string, Map<number, Flow>>();
  readonly #payTimes = new Map<string, PayTimeCount>();

  add(reservation: Reservation, sign: 1 | -1): void {
    this.#addTickets(reservation, sign);
    this.#addReservation(reservation, sign);
    const flows = entry(this.#flows, reservation.eventId, () => new Map<number, Flow>());
    for (const { minute, flow } of flowsOf(reservation)) addFlow(entry(flows, minute, noFlow), flow, sign);
    const { eventId, createdMs, paidMs } = reservation;
    if (paidMs === null) return;
    const bucket = bucketOf(paidMs - createdMs);
    for (const id of [eventId, ALL_EVENTS]) {
      const count = { eventId: id, bucket, reservations: 0 };
      entry(this.#payTimes, `${id} ${bucket}`, () => count).reservations += sign;
    }
  }

  #addTickets({ state, paidMs, items }: Reservation, sign: 1 | -1): void {
    for (const { ticketTypeId, quantity, unitPriceMinor } of items) {
      const counts = entry(this.#tickets, ticketTypeId, noTickets);
      const tickets = sign * quantity;
      if (state === "HELD" || state === "PAYING") counts.held += tickets;
      else if (state === "PAID") {
        counts.paid += tickets;
        counts.revenueMinor += BigInt(tickets * unitPriceMinor);
      } else if (state === "EXPIRED") counts.expired += tickets;
      else {
        counts.cancelled += tickets;
        if (paidMs !== null) counts.refunded += tickets;
      }
    }
  }

  #addReservation({ eventId, state, paidMs }: Reservation, sign: 1 | -1): void {
    const counts = entry(this.#reservations, eventId, noReservations);
    if (state === "HELD" || state === "PAYING") counts.held += sign;
    else if (state === "PAID") counts.paid += sign;
    else if (state === "EXPIRED") counts.expired += sign;
    else counts.cancelled += sign;
    if (state === "PAID" || paidMs !== null) counts.everPaid += sign;
  }

  changes(): CountChanges {
    return {
      tickets: withoutZeros(this.#tickets),
      reservations: withoutZeros(this.#reservations),
      timeline: timelineOf(this.#flows),
      payTimes: [...this.#payTimes.values()].filter(({ reservations }) => reservations !== 0),
    };
  }
}

export type FailureChange = { eventId: string; reason: string; failures: number };

/** The same for payments, which count while they are FAILED. */
export function failureChanges(replaced: readonly Replacement<Payment>[]): FailureChange[] {
  const changes = new Map<string, FailureChange>();
  const add = ({ eventId, state, failureReason: reason }: Payment, sign: 1 | -1) => {
    if (state !== "FAILED") return;
    const change = { eventId, reason, failures: 0 };
    entry(changes, `${eventId} ${reason}`, () => change).failures += sign;
  };
  for (const { before, after } of replaced) {
    if (before !== undefined) add(before, -1);
    add(after, 1);
  }
  return [...changes.values()].filter(({ failures }) => failures !== 0);
}

const noTickets = (): TicketCounts => ({
  held: 0,
  paid: 0,
  expired: 0,
  cancelled: 0,
  refunded: 0,
  revenueMinor: 0n,
});

const noReservations = (): ReservationCounts => ({ held: 0, paid: 0, expired: 0, cancelled: 0, everPaid: 0 });

function entry<Key, Value>(map: Map<Key, Value>, key: Key, initial: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = initial();
  map.set(key, value);
  return value;
}

function withoutZeros<Counts extends object>(sums: Map<string, Counts>): Map<string, Counts> {
  return new Map([...sums].filter(([, counts]) => Object.values(counts).some(isNotZero)));
}

const isNotZero = (count: number | bigint): boolean => count !== 0 && count !== 0n;
