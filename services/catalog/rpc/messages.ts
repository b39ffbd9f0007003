import { euro } from "@boxoffice/platform/parse.ts";
import {
  type EventSchema,
  EventState,
  type TicketTypeSchema,
} from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { etagOf, type TicketType } from "../domain/event.ts";
import type { StoredEvent } from "../store/rows.ts";

/** An event as the contract writes it. */
export function toEventMessage({ event, changePending }: StoredEvent): MessageInitShape<typeof EventSchema> {
  const { eventId, name, description, venue, startsAt, timeZone, state, ticketTypes } = event;
  return {
    eventId,
    name,
    description,
    venue,
    startsAt: timestampFromDate(startsAt),
    timeZone,
    state: EventState[state],
    ticketTypes: ticketTypes.map(toTicketTypeMessage),
    etag: etagOf(event),
    changePending,
  };
}

function toTicketTypeMessage(type: TicketType): MessageInitShape<typeof TicketTypeSchema> {
  const { ticketTypeId, name, category, priceMinor, quantity, maxPerReservation } = type;
  return {
    ticketTypeId,
    name,
    category,
    price: euro(priceMinor),
    quantity,
    maxPerReservation,
    ...(type.salesStart && { salesStart: timestampFromDate(type.salesStart) }),
    ...(type.salesEnd && { salesEnd: timestampFromDate(type.salesEnd) }),
  };
}
