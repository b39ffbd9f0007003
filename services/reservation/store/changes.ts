import type { Transaction } from "@boxoffice/platform/database.ts";
import { appendOutbox, type EventChanges } from "@boxoffice/platform/outbox.ts";
import { euro } from "@boxoffice/platform/parse.ts";
import { refOf } from "@boxoffice/platform/ref.ts";
import {
  type Change,
  ChangeSchema,
  ReservationState,
} from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Reservation } from "../domain/reservation.ts";
import type { TicketType } from "../domain/sale.ts";

/** Announces what became of reservations, in the transaction in which it did. */
export function announceReservations(
  tx: Transaction,
  newId: () => string,
  at: Date,
  reservations: readonly Reservation[],
): void {
  const byEvent = new Map<string, Change[]>();
  for (const reservation of reservations) {
    const changes = byEvent.get(reservation.eventId);
    if (changes === undefined) byEvent.set(reservation.eventId, [reservationChange(reservation)]);
    else changes.push(reservationChange(reservation));
  }
  const events: EventChanges[] = [...byEvent].map(([eventId, changes]) => ({ eventId, changes }));
  appendOutbox(tx, "reservation", newId, at, events);
}

/** Announces what ticket types are and how many there are, in the transaction that changed it. */
export function announceTicketTypes(
  tx: Transaction,
  newId: () => string,
  at: Date,
  eventId: string,
  types: readonly TicketType[],
): void {
  appendOutbox(tx, "reservation", newId, at, [{ eventId, changes: types.map(ticketTypeChange) }]);
}

export function reservationChange(reservation: Reservation): Change {
  const { paidAt, closedAt } = reservation;
  return create(ChangeSchema, {
    change: {
      case: "reservation",
      value: {
        reservationRef: refOf(reservation.reservationId),
        version: BigInt(reservation.version),
        state: ReservationState[reservation.state],
        items: reservation.items.map(({ ticketTypeId, quantity, unitPriceMinor }) => ({
          ticketTypeId,
          quantity,
          unitPrice: euro(unitPriceMinor),
        })),
        total: euro(reservation.totalMinor),
        createTime: timestampFromDate(reservation.createdAt),
        expireTime: timestampFromDate(reservation.expiresAt),
        ...(paidAt && { payTime: timestampFromDate(paidAt) }),
        ...(closedAt && { closeTime: timestampFromDate(closedAt) }),
      },
    },
  });
}

export function ticketTypeChange(type: TicketType): Change {
  const { ticketTypeId, definitionVersion, position, name, category, quantity } = type;
  return create(ChangeSchema, {
    change: {
      case: "ticketType",
      value: { ticketTypeId, version: definitionVersion, position, name, category, quantity },
    },
  });
}
