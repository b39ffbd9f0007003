import type {
  Payment,
  PaymentState,
  Reservation,
  ReservationState,
  ReservedItem,
} from "../domain/changes.ts";

export type ReservationRow = {
  reservation_ref: Buffer;
  event_id: string;
  version: bigint;
  state: ReservationState;
  was_paid: boolean;
  items: ItemJson[];
};

/** jsonb knows no int8. A ticket costs at most a million euros, which a number holds. */
type ItemJson = { ticketTypeId: string; quantity: number; unitPriceMinor: number };

export const toReservation = (row: ReservationRow): Reservation => ({
  id: row.reservation_ref.toString("hex"),
  eventId: row.event_id,
  version: row.version,
  state: row.state,
  wasPaid: row.was_paid,
  items: row.items.map((item) => ({ ...item, unitPriceMinor: BigInt(item.unitPriceMinor) })),
});

/** A reservation's ref as its column holds it: the bytes, of which millions are kept. */
export const toRef = (id: string): Buffer => Buffer.from(id, "hex");

export function toItemsJson(items: readonly ReservedItem[]): string {
  const json: ItemJson[] = items.map(({ ticketTypeId, quantity, unitPriceMinor }) => ({
    ticketTypeId,
    quantity,
    unitPriceMinor: Number(unitPriceMinor),
  }));
  return JSON.stringify(json);
}

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
