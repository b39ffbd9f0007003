import type { Books, TypeBook } from "./books.ts";

/** What is wrong with the stock: that of each ticket type, and against a recount of the reservations. */
export function stockViolations(books: Books): string[] {
  const counted = countTickets(books);
  return [...books.types.values()].flatMap((type) => {
    const { held, paid } = counted.get(type.ticketTypeId) ?? { held: 0, paid: 0 };
    return [...bookingViolations(type), ...recountViolations(type, held, paid)];
  });
}

function bookingViolations(type: TypeBook): string[] {
  const { quantity, available, held, paid } = type;
  const violations: string[] = [];
  const booked = `${available} available + ${held} held + ${paid} paid`;
  if (quantity !== available + held + paid) {
    violations.push(`${nameOf(type)}: the stock does not add up: ${booked} is not ${quantity}`);
  }
  if (Math.min(quantity, available, held, paid) < 0) {
    violations.push(`${nameOf(type)}: a count is below zero: ${booked} of ${quantity}`);
  }
  return violations;
}

function recountViolations(type: TypeBook, held: number, paid: number): string[] {
  const violations: string[] = [];
  if (held + paid > type.quantity) {
    violations.push(
      `${nameOf(type)}: oversold: ${held + paid} tickets are reserved or sold of ${type.quantity}`,
    );
  }
  if (held !== type.held) {
    violations.push(`${nameOf(type)}: ${type.held} are booked as held, and reservations hold ${held}`);
  }
  if (paid !== type.paid) {
    violations.push(`${nameOf(type)}: ${type.paid} are booked as paid, and reservations have paid ${paid}`);
  }
  return violations;
}

function countTickets({ reservations }: Books): Map<string, { held: number; paid: number }> {
  const counts = new Map<string, { held: number; paid: number }>();
  for (const { state, items } of reservations.values()) {
    for (const { ticketTypeId, quantity } of items) {
      const count = counts.get(ticketTypeId) ?? { held: 0, paid: 0 };
      if (state === "HELD" || state === "PAYING") count.held += quantity;
      if (state === "PAID") count.paid += quantity;
      counts.set(ticketTypeId, count);
    }
  }
  return counts;
}

const nameOf = ({ ticketTypeId }: TypeBook): string => `ticket type ${ticketTypeId}`;
