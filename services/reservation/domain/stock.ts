import type { Reservation } from "./reservation.ts";

/** What to add to the counters of a ticket type. Together they leave `quantity` = `available` + `held` + `paid`. */
export type StockChange = { quantity: number; available: number; held: number; paid: number };

/** By ticket type. */
export type StockChanges = Map<string, StockChange>;

/**
 * Where the tickets of a reservation go, by the names of the stock's counters. `off sale` lowers the quantity
 * instead.
 */
export type StockMove = { from: "held" | "paid"; to: "available" | "paid" | "off sale" };

/** Adds to `changes` that a reservation's tickets move. */
export function moveTickets(
  changes: StockChanges,
  { items }: Pick<Reservation, "items">,
  { from, to }: StockMove,
): void {
  for (const { ticketTypeId, quantity } of items) {
    const change = changes.get(ticketTypeId) ?? { quantity: 0, available: 0, held: 0, paid: 0 };
    change[from] -= quantity;
    if (to === "off sale") change.quantity -= quantity;
    else change[to] += quantity;
    changes.set(ticketTypeId, change);
  }
}
