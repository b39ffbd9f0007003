import type { Transaction } from "@boxoffice/platform/database.ts";
import { appendOutbox, type EncodedChange, type EventChanges } from "@boxoffice/platform/outbox.ts";
import { euro } from "@boxoffice/platform/parse.ts";
import { refOf } from "@boxoffice/platform/ref.ts";
import { KeptParts, MessageParts } from "@boxoffice/platform/rpc/parts.ts";
import {
  type Change,
  ChangeBatchSchema,
  ChangeSchema,
  ReservationChangeSchema,
  ReservationState,
} from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { likenessOf, type Reservation, timesOf } from "../domain/reservation.ts";
import type { TicketType } from "../domain/sale.ts";

/** Announces what became of reservations, in the transaction in which it did. */
export function announceReservations(
  tx: Transaction,
  newId: () => string,
  at: Date,
  reservations: readonly Reservation[],
): void {
  const byEvent = new Map<string, EncodedChange[]>();
  for (const reservation of reservations) {
    const change = encodeReservation(reservation);
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
function encodeReservation(reservation: Reservation): EncodedChange {
  const content = CONTENTS.get(likenessOf(reservation), () => encodeFields(toContent(reservation)));
  const times = TIMES.get(timesOf(reservation), () => encodeFields(toTimes(reservation)));
  return CHANGE.join(refOf(reservation.reservationId), content, times);
}

/** An {@link EncodedChange}. */
const CHANGE = new MessageParts(
  [ChangeBatchSchema.field.changes, ChangeSchema.field.reservation],
  ReservationChangeSchema.field.reservationRef,
);

/** Parts in which changes are alike. Times are those of the last batches. */
const CONTENTS = new KeptParts(10_000);
const TIMES = new KeptParts(100);

type ReservationFields = MessageInitShape<typeof ReservationChangeSchema>;

const encodeFields = (fields: ReservationFields): Uint8Array =>
  toBinary(ReservationChangeSchema, create(ReservationChangeSchema, fields));

export function reservationChange(reservation: Reservation): Change {
  const value = {
    reservationRef: refOf(reservation.reservationId),
    ...toContent(reservation),
    ...toTimes(reservation),
  };
  return create(ChangeSchema, { change: { case: "reservation", value } });
}

/** What is reserved, without saying by whom or when. */
function toContent({ version, state, items, totalMinor }: Reservation) {
  return {
    version: BigInt(version),
    state: ReservationState[state],
    items: items.map(({ ticketTypeId, quantity, unitPriceMinor }) => ({
      ticketTypeId,
      quantity,
      unitPrice: euro(unitPriceMinor),
    })),
    total: euro(totalMinor),
  } satisfies ReservationFields;
}

function toTimes({ createdAt, expiresAt, paidAt, closedAt }: Reservation) {
  return {
    createTime: timestampFromDate(createdAt),
    expireTime: timestampFromDate(expiresAt),
    ...(paidAt && { payTime: timestampFromDate(paidAt) }),
    ...(closedAt && { closeTime: timestampFromDate(closedAt) }),
  } satisfies ReservationFields;
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
