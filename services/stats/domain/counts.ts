import type { Payment, Replacement, Reservation } from "./changes.ts";

/** Tickets of one type by what became of them, and what those that are paid now cost, in cents. */
export type TicketCounts = {
  /** HELD and PAYING. */
  held: bigint;
  paid: bigint;
  expired: bigint;
  /** Refunded included. */
  cancelled: bigint;
  /** Cancelled after they were paid. */
  refunded: bigint;
  revenueMinor: bigint;
};

/** Reservations of one event. */
export type ReservationCounts = {
  held: bigint;
  paid: bigint;
  expired: bigint;
  cancelled: bigint;
  /** Refunded since or not. */
  everPaid: bigint;
};

/** What one reservation adds to the counters: every statistic of tickets is a sum of these. */
export type Contribution = { tickets: Map<string, TicketCounts>; reservations: ReservationCounts };

export function contributionOf({ state, wasPaid, items }: Reservation): Contribution {
  const isHeld = state === "HELD" || state === "PAYING";
  const isPaid = state === "PAID";
  const isExpired = state === "EXPIRED";
  const isCancelled = state === "CANCELLED";
  const tickets = new Map<string, TicketCounts>();
  for (const { ticketTypeId, quantity, unitPriceMinor } of items) {
    const count = BigInt(quantity);
    const when = (applies: boolean, amount = count) => (applies ? amount : 0n);
    addTo(tickets, ticketTypeId, {
      held: when(isHeld),
      paid: when(isPaid),
      expired: when(isExpired),
      cancelled: when(isCancelled),
      refunded: when(isCancelled && wasPaid),
      revenueMinor: when(isPaid, count * unitPriceMinor),
    });
  }
  return {
    tickets,
    reservations: {
      held: BigInt(isHeld),
      paid: BigInt(isPaid),
      expired: BigInt(isExpired),
      cancelled: BigInt(isCancelled),
      everPaid: BigInt(isPaid || wasPaid),
    },
  };
}

/** What to add to the counters: tickets by type, reservations by event. */
export type CountChanges = {
  tickets: Map<string, TicketCounts>;
  reservations: Map<string, ReservationCounts>;
};

/** Takes the old contribution of each reservation back and adds the new one. Counters that stay are left out. */
export function countChanges(replaced: readonly Replacement<Reservation>[]): CountChanges {
  const tickets = new Map<string, TicketCounts>();
  const reservations = new Map<string, ReservationCounts>();
  const add = (reservation: Reservation, sign: 1n | -1n) => {
    const contribution = contributionOf(reservation);
    for (const [typeId, counts] of contribution.tickets) addTo(tickets, typeId, counts, sign);
    addTo(reservations, reservation.eventId, contribution.reservations, sign);
  };
  for (const { before, after } of replaced) {
    if (before !== undefined) add(before, -1n);
    add(after, 1n);
  }
  return { tickets: withoutZeros(tickets), reservations: withoutZeros(reservations) };
}

export type FailureChange = { eventId: string; reason: string; failures: bigint };

/** The same for payments, which count while they are FAILED. */
export function failureChanges(replaced: readonly Replacement<Payment>[]): FailureChange[] {
  const changes = new Map<string, FailureChange>();
  const add = ({ eventId, state, failureReason: reason }: Payment, sign: 1n | -1n) => {
    if (state !== "FAILED") return;
    const key = `${eventId} ${reason}`;
    const failures = (changes.get(key)?.failures ?? 0n) + sign;
    changes.set(key, { eventId, reason, failures });
  };
  for (const { before, after } of replaced) {
    if (before !== undefined) add(before, -1n);
    add(after, 1n);
  }
  return [...changes.values()].filter(({ failures }) => failures !== 0n);
}

function addTo<Counts extends Record<string, bigint>>(
  sums: Map<string, Counts>,
  key: string,
  counts: Counts,
  sign = 1n,
): void {
  const sum: Record<string, bigint> = { ...sums.get(key) };
  for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0n) + sign * count;
  sums.set(key, sum as Counts);
}

function withoutZeros<Counts extends Record<string, bigint>>(sums: Map<string, Counts>): Map<string, Counts> {
  return new Map([...sums].filter(([, counts]) => Object.values(counts).some((count) => count !== 0n)));
}
