import type { Books, ReservationBook } from "./books.ts";

/** What is wrong with single reservations, whatever anybody was told: states, times, items, totals, request ids. */
export function rowViolations(books: Books): string[] {
  const violations = books.strayItems.map(
    ({ reservationId, ticketTypeId }) =>
      `an item of ticket type ${ticketTypeId} belongs to reservation ${reservationId}, which does not exist`,
  );
  for (const reservation of books.reservations.values()) {
    const wrong = [
      ...stateFaults(reservation),
      ...timeFaults(reservation, books),
      ...itemFaults(reservation, books),
    ];
    violations.push(...wrong.map((fault) => `reservation ${reservation.reservationId}: ${fault}`));
  }
  return [...violations, ...requestIdViolations(books)];
}

/** What a reservation has in each state. A cancelled one that was paid has kept both. */
function stateFaults({ state, paymentId, paidAt, closedAt, version }: ReservationBook): string[] {
  const faults: string[] = [];
  const isClosed = state === "EXPIRED" || state === "CANCELLED";
  const wasPaid = state === "PAID" || (state === "CANCELLED" && paidAt !== null);
  const needsPayment = state === "PAYING" || wasPaid;
  if (!STATES.has(state)) faults.push(`is in the state ${state}, which does not exist`);
  if (isClosed !== (closedAt !== null)) faults.push(`is ${state} and ${closedAt ? "has" : "lacks"} an end`);
  if (needsPayment !== (paymentId !== null))
    faults.push(`is ${state} and ${paymentId ? "has" : "lacks"} a payment`);
  if (wasPaid !== (paidAt !== null))
    faults.push(`is ${state} and ${paidAt ? "has" : "lacks"} a time of payment`);
  if (version < (state === "HELD" ? 1 : 2)) faults.push(`is ${state} in version ${version}`);
  return faults;
}

function timeFaults(reservation: ReservationBook, { events }: Books): string[] {
  const { eventId, state, createdAt, expiresAt, paidAt, closedAt } = reservation;
  const faults: string[] = [];
  if (expiresAt <= createdAt) faults.push("ends before it begins");
  if (state === "EXPIRED" && closedAt && closedAt < expiresAt) {
    faults.push(`expired ${expiresAt.getTime() - closedAt.getTime()} ms before its time was over`);
  }
  const endedByOwner = state === "CANCELLED" && paidAt === null && events.get(eventId)?.isCancelled === false;
  if (endedByOwner && closedAt && closedAt >= expiresAt) {
    faults.push(`was cancelled ${closedAt.getTime() - expiresAt.getTime()} ms after its time was over`);
  }
  if (paidAt && paidAt < createdAt) faults.push("was paid before it was made");
  return faults;
}

function itemFaults({ eventId, items, totalMinor }: ReservationBook, { events, types }: Books): string[] {
  const faults: string[] = [];
  if (!events.has(eventId)) faults.push(`is of event ${eventId}, which is not on sale`);
  if (items.length === 0) faults.push("has no items");
  for (const { ticketTypeId, quantity } of items) {
    if (quantity < 1) faults.push(`has ${quantity} tickets of type ${ticketTypeId}`);
    if (types.get(ticketTypeId)?.eventId !== eventId)
      faults.push(`has tickets of type ${ticketTypeId}, which is not of its event`);
  }
  const sum = items.reduce((total, item) => total + item.unitPriceMinor * BigInt(item.quantity), 0n);
  if (sum !== totalMinor) faults.push(`costs ${totalMinor}, and its items cost ${sum}`);
  return faults;
}

function requestIdViolations({ reservations }: Books): string[] {
  const byRequest = new Map<string, string[]>();
  for (const { requestId, reservationId } of reservations.values()) {
    if (requestId !== null)
      byRequest.set(requestId, [...(byRequest.get(requestId) ?? []), reservationId].sort());
  }
  return [...byRequest]
    .filter(([, ids]) => ids.length > 1)
    .map(([requestId, ids]) => `request id ${requestId} made ${ids.length} reservations: ${ids.join(", ")}`);
}

const STATES: ReadonlySet<string> = new Set(["HELD", "PAYING", "PAID", "EXPIRED", "CANCELLED"]);
