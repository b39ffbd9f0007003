import type {
  Payment,
  PaymentState,
  Reservation,
  ReservationState,
  ReservedItem,
} from "../domain/changes.ts";

export type ReservationRow = {
  reservation_ref: string;
  event_id: string;
  version: bigint;
  state: ReservationState;
  created_at: Date;
  paid_at: Date | null;
  closed_at: Date | null;
  items: ItemJson[];
};

/** Short, because millions are kept. A ticket costs at most a million euros, which a number holds. */
type ItemJson = [ticketTypeId: string, quantity: number, unitPriceMinor: number];

export const toReservation = (row: ReservationRow): Reservation => ({
  id: row.reservation_ref.replaceAll("-", ""),
  eventId: row.event_id,
  version: row.version,
  state: row.state,
  createdMs: row.created_at.getTime(),
  paidMs: row.paid_at?.getTime() ?? null,
  closedMs: row.closed_at?.getTime() ?? null,
  items: row.items.map(([ticketTypeId, quantity, unitPriceMinor]) => ({
    ticketTypeId,
    quantity,
    unitPriceMinor,
  })),
});

export function toItemsJson(items: readonly ReservedItem[]): string {
  const json = items.map(
    ({ ticketTypeId, quantity, unitPriceMinor }): ItemJson => [ticketTypeId, quantity, unitPriceMinor],
  );
  return JSON.stringify(json);
}

/** A time as a parameter: what pg makes of a Date takes several times as long, and there are many. */
export const toTime = (ms: number): string => new Date(ms).toISOString();

export type PaymentRow = {
  payment_id: string;
  event_id: string;
  version: bigint;
  state: PaymentState;
  failure_reason: string;
};

export const toPayment = (row: PaymentRow): Payment => ({
  id: row.payment_id,
  eventId: row.event_id,
  version: row.version,
  state: row.state,
  failureReason: row.failure_reason,
});
