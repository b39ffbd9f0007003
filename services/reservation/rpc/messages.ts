import { invalidField } from "@boxoffice/platform/errors.ts";
import { euro, parseId, parseOptionalTime, parsePrice } from "@boxoffice/platform/parse.ts";
import {
  AvailabilityStatus,
  type GetAvailabilityResponse,
  type GetAvailabilityResponseSchema,
  type ReservationSchema,
  ReservationState,
  type ReserveRequest as ReserveRequestMessage,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import type { SaleTicketType } from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Customer, type Reservation, stateAt } from "../domain/reservation.ts";
import { changedAt, type EventSale, latest, statusAt, type TicketTypeDefinition } from "../domain/sale.ts";
import type { AvailableTicketType } from "../store/read.ts";

/** A reservation as it stands at `now`. Its customer is shown to operators only. */
export function toReservationMessage(
  reservation: Reservation,
  now: Date,
  options: { showCustomer?: boolean } = {},
): ReservationFields {
  const { reservationId, paymentId, customer } = reservation;
  return {
    reservationId,
    ...toContent(reservation, now),
    ...toTimes(reservation, now),
    paymentId: paymentId ?? "",
    ...(options.showCustomer && customer && { customer }),
  };
}

export type ReservationFields = MessageInitShape<typeof ReservationSchema>;

/** What is reserved, without saying by whom or when. */
export function toContent(reservation: Reservation, now: Date) {
  const { eventId, items, totalMinor } = reservation;
  return {
    eventId,
    state: ReservationState[stateAt(reservation, now)],
    items: items.map(({ ticketTypeId, name, category, quantity, unitPriceMinor }) => ({
      ticketTypeId,
      name,
      category,
      quantity,
      unitPrice: euro(unitPriceMinor),
    })),
    total: euro(totalMinor),
  } satisfies ReservationFields;
}

export function toTimes(reservation: Reservation, now: Date) {
  const { createdAt, expiresAt } = reservation;
  const leftMs = expiresAt.getTime() - now.getTime();
  return {
    createTime: timestampFromDate(createdAt),
    expireTime: timestampFromDate(expiresAt),
    ...(stateAt(reservation, now) === "HELD" && { expiresIn: durationFromMs(leftMs) }),
  } satisfies ReservationFields;
}

/** What is left of an event, as it is answered once or watched. */
export type AvailabilityFields = Exclude<
  MessageInitShape<typeof GetAvailabilityResponseSchema>,
  GetAvailabilityResponse
>;

/** What is left of an event at `now`. Unless something changed, the answer is the same to the byte. */
export function toAvailabilityMessage(
  event: EventSale,
  types: readonly AvailableTicketType[],
  now: Date,
): AvailabilityFields {
  return {
    eventId: event.eventId,
    ticketTypes: types.map(({ type, available }) => ({
      ticketTypeId: type.ticketTypeId,
      name: type.name,
      category: type.category,
      price: euro(type.priceMinor),
      quantity: type.quantity,
      available,
      status: AvailabilityStatus[statusAt(event, type, available, now)],
      maxPerReservation: type.maxPerReservation,
      ...(type.salesStart && { salesStart: timestampFromDate(type.salesStart) }),
      ...(type.salesEnd && { salesEnd: timestampFromDate(type.salesEnd) }),
    })),
    asOf: timestampFromDate(
      latest([
        event.changedAt,
        ...types.map(({ type, lastExpiry }) => changedAt(event, type, lastExpiry, now)),
      ]),
    ),
  };
}

/**
 * What was asked for, in one order whatever the order it was written in: equal wishes look equal.
 *
 * @throws BoxofficeError INVALID_REQUEST where a ticket type is named twice
 */
export function parseItems(
  items: ReserveRequestMessage["items"],
): { ticketTypeId: string; quantity: number }[] {
  const parsed = items.map(({ ticketTypeId, quantity }) => ({
    ticketTypeId: parseId(ticketTypeId),
    quantity,
  }));
  if (parsed.length === 1) return parsed;
  if (new Set(parsed.map(({ ticketTypeId }) => ticketTypeId)).size < parsed.length) {
    throw invalidField("items", "must name each ticket type once");
  }
  return parsed.sort((a, b) => (a.ticketTypeId < b.ticketTypeId ? -1 : 1));
}

/** Null where nothing was said. */
export function parseCustomer(customer: ReserveRequestMessage["customer"]): Customer | null {
  const { name = "", email = "" } = customer ?? {};
  return name === "" && email === "" ? null : { name, email };
}

/** @throws BoxofficeError INVALID_REQUEST that names the field below `field` */
export function parseTicketType(field: string, type: SaleTicketType): TicketTypeDefinition {
  return {
    ticketTypeId: parseId(type.ticketTypeId),
    position: type.position,
    name: type.name,
    category: type.category,
    priceMinor: parsePrice(`${field}.price`, type.price),
    maxPerReservation: type.maxPerReservation,
    salesStart: parseOptionalTime(`${field}.sales_start`, type.salesStart),
    salesEnd: parseOptionalTime(`${field}.sales_end`, type.salesEnd),
    quantity: type.quantity,
  };
}
