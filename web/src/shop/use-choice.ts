import type { TicketTypeAvailability } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { useEffect, useReducer } from "react";
import { keep, kept } from "../ui/kept.ts";
import { isBuyable, statusOf } from "./sale-status.ts";

/** How many of each ticket type are wanted, by its id. */
export type Quantities = Readonly<Record<string, number>>;

export type Choice = {
  quantities: Quantities;
  /** Of which types less is left than was chosen, so that the choice was reduced to it. */
  reduced: ReadonlySet<string>;
};

type Change =
  | { kind: "choose"; ticketTypeId: string; quantity: number }
  | { kind: "fit"; types: readonly TicketTypeAvailability[] }
  | { kind: "clear" };

/**
 * What the buyer chooses of an event. It is kept in the tab over a reload, and never asks for more than is left:
 * when others are quicker, it is reduced, and says so.
 */
export function useChoice(eventId: string, types: readonly TicketTypeAvailability[] | undefined) {
  const key = `boxoffice.choice.${eventId}`;
  const [choice, change] = useReducer(changed, key, recall);
  useEffect(() => {
    if (types !== undefined) change({ kind: "fit", types });
  }, [types]);
  useEffect(() => {
    const isEmpty = Object.keys(choice.quantities).length === 0;
    keep("session", key, isEmpty ? undefined : JSON.stringify(choice.quantities));
  }, [key, choice.quantities]);
  return {
    choice,
    choose: (ticketTypeId: string, quantity: number) => change({ kind: "choose", ticketTypeId, quantity }),
    clear: () => change({ kind: "clear" }),
  };
}

/** The most of a type that can be chosen now. */
export function mostOf({ available, maxPerReservation }: TicketTypeAvailability): number {
  return Math.min(available, maxPerReservation);
}

function changed(choice: Choice, change: Change): Choice {
  switch (change.kind) {
    case "clear":
      return { quantities: {}, reduced: new Set() };
    case "choose":
      return {
        quantities: withQuantity(choice.quantities, change.ticketTypeId, change.quantity),
        reduced: without(choice.reduced, change.ticketTypeId),
      };
    case "fit":
      return fitted(choice, change.types);
  }
}

function fitted(choice: Choice, types: readonly TicketTypeAvailability[]): Choice {
  let { quantities, reduced } = choice;
  for (const [ticketTypeId, quantity] of Object.entries(choice.quantities)) {
    const type = types.find((one) => one.ticketTypeId === ticketTypeId);
    // A pause passes: what was chosen before it stays chosen.
    const isWaiting = type !== undefined && ["paused", "notYet"].includes(statusOf(type).kind);
    const most = type !== undefined && (isBuyable(statusOf(type)) || isWaiting) ? mostOf(type) : 0;
    if (quantity <= most) continue;
    quantities = withQuantity(quantities, ticketTypeId, most);
    reduced = new Set([...reduced, ticketTypeId]);
  }
  return quantities === choice.quantities ? choice : { quantities, reduced };
}

function withQuantity(quantities: Quantities, ticketTypeId: string, quantity: number): Quantities {
  const { [ticketTypeId]: _, ...others } = quantities;
  return quantity > 0 ? { ...others, [ticketTypeId]: quantity } : others;
}

function without(set: ReadonlySet<string>, value: string): ReadonlySet<string> {
  return new Set([...set].filter((one) => one !== value));
}

function recall(key: string): Choice {
  const quantities: Record<string, number> = {};
  try {
    const stored: unknown = JSON.parse(kept("session", key) ?? "{}");
    for (const [ticketTypeId, quantity] of Object.entries(stored ?? {})) {
      if (Number.isSafeInteger(quantity) && quantity > 0) quantities[ticketTypeId] = quantity;
    }
  } catch {
    // Nothing that could be read is nothing chosen.
  }
  return { quantities, reduced: new Set() };
}
