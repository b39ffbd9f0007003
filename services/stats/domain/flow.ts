import type { Reservation } from "./changes.ts";

/** What happened in some time: reservations made, tickets, and money in cents. */
export type Flow = {
  reservations: number;
  reserved: number;
  paid: number;
  expired: number;
  /** Refunded included. */
  cancelled: number;
  refunded: number;
  /** Of what was paid in this time. */
  revenueMinor: bigint;
  /** Given back in this time. */
  refundsMinor: bigint;
};

export const noFlow = (): Flow => ({
  reservations: 0,
  reserved: 0,
  paid: 0,
  expired: 0,
  cancelled: 0,
  refunded: 0,
  revenueMinor: 0n,
  refundsMinor: 0n,
});

/** What happened of an event in a minute, or in a quarter of an hour, from `startMs` on. */
export type Slot = { eventId: string; minutes: 1 | 15; startMs: number; flow: Flow };

/** By this id all events together go. */
export const ALL_EVENTS = "00000000-0000-0000-0000-000000000000";

const MINUTE_MS = 60_000;

/** What a reservation adds to the minutes in which something happened to it, counted since the epoch. */
export function flowsOf(reservation: Reservation): { minute: number; flow: Partial<Flow> }[] {
  const { state, createdMs, paidMs, closedMs, items } = reservation;
  let tickets = 0;
  let amountMinor = 0n;
  for (const { quantity, unitPriceMinor } of items) {
    tickets += quantity;
    if (paidMs !== null) amountMinor += BigInt(quantity * unitPriceMinor);
  }
  const flows: { minute: number; flow: Partial<Flow> }[] = [
    { minute: minuteOf(createdMs), flow: { reservations: 1, reserved: tickets } },
  ];
  if (paidMs !== null) {
    flows.push({ minute: minuteOf(paidMs), flow: { paid: tickets, revenueMinor: amountMinor } });
  }
  if (closedMs !== null)
    flows.push({ minute: minuteOf(closedMs), flow: closing(state, tickets, paidMs !== null, amountMinor) });
  return flows;
}

function closing(
  state: Reservation["state"],
  tickets: number,
  wasPaid: boolean,
  paidMinor: bigint,
): Partial<Flow> {
  if (state === "EXPIRED") return { expired: tickets };
  if (state !== "CANCELLED") return {};
  return wasPaid
    ? { cancelled: tickets, refunded: tickets, refundsMinor: paidMinor }
    : { cancelled: tickets };
}

export function addFlow(sum: Flow, flow: Partial<Flow>, sign: 1 | -1 = 1): void {
  sum.reservations += sign * (flow.reservations ?? 0);
  sum.reserved += sign * (flow.reserved ?? 0);
  sum.paid += sign * (flow.paid ?? 0);
  sum.expired += sign * (flow.expired ?? 0);
  sum.cancelled += sign * (flow.cancelled ?? 0);
  sum.refunded += sign * (flow.refunded ?? 0);
  if (flow.revenueMinor) sum.revenueMinor += BigInt(sign) * flow.revenueMinor;
  if (flow.refundsMinor) sum.refundsMinor += BigInt(sign) * flow.refundsMinor;
}

/** The rows of the timeline that flows by event and minute belong to: those of the event and of all events. */
export function timelineOf(flows: ReadonlyMap<string, ReadonlyMap<number, Flow>>): Slot[] {
  const slots = new Map<string, Slot>();
  const add = (eventId: string, minutes: 1 | 15, minute: number, flow: Flow) => {
    const startMs = (minute - (minute % minutes)) * MINUTE_MS;
    const key = `${eventId} ${minutes} ${startMs}`;
    const slot = slots.get(key) ?? { eventId, minutes, startMs, flow: noFlow() };
    slots.set(key, slot);
    addFlow(slot.flow, flow);
  };
  for (const [eventId, byMinute] of flows) {
    for (const [minute, flow] of byMinute) {
      if (isNoFlow(flow)) continue;
      for (const id of [eventId, ALL_EVENTS]) {
        add(id, 1, minute, flow);
        add(id, 15, minute, flow);
      }
    }
  }
  return [...slots.values()].filter(({ flow }) => !isNoFlow(flow));
}

const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS);

const isNoFlow = (flow: Flow): boolean => Object.values(flow).every((value) => value === 0 || value === 0n);
