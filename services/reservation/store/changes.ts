import type { Transaction } from "@boxoffice/platform/database.ts";
import {
  appendOutbox,
  type EncodedChange,
  type EventChanges,
  encodeChange,
} from "@boxoffice/platform/outbox.ts";
import { euro } from "@boxoffice/platform/parse.ts";
import { refOf } from "@boxoffice/platform/ref.ts";
import { Stencil } from "@boxoffice/platform/rpc/stencil.ts";
import {
  type Change,
  ChangeSchema,
  ReservationState,
} from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { likenessOf, type Reservation } from "../domain/reservation.ts";
import type { TicketType } from "../domain/sale.ts";

/** Announces what became of reservations, in the transaction in which it did. */
export function announceReservations(
  tx: Transaction,
  newId: () => string,
  at: Date,
  reservations: readonly Reservation[],
): void {
  const stencils = new Map<string, Stencil>();
  const byEvent = new Map<string, EncodedChange[]>();
  for (const reservation of reservations) {
    const change = encodeReservation(reservation, stencils);
    const changes = byEvent.get(reservation.eventId);
    if (changes === undefined) byEvent.set(reservation.eventId, [change]);
    else changes.push(change);
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

/** Most reservations of a batch are alike but for their names. */
function encodeReservation(reservation: Reservation, stencils: Map<string, Stencil>): EncodedChange {
  const ref = refOf(reservation.reservationId);
  const likeness = likenessOf(reservation);
  const known = stencils.get(likeness);
  if (known !== undefined) return known.print(ref);
  const encoded = encodeChange(reservationChange(reservation));
  stencils.set(likeness, new Stencil(encoded, ref));
  return encoded;
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
