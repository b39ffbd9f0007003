import { type Event, EventSchema, EventState } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { jsonOf } from "./operator-command.ts";
import { showEnum, showLocalTime, showMoney, showTime } from "./show.ts";
import { table } from "./table.ts";

/** An event, as every command about one shows it. */
export function eventAnswer(event: Event | undefined) {
  if (event === undefined) throw new Error("the catalog answered without an event");
  const types = event.ticketTypes.map((type) => ({
    "ticket type": type.ticketTypeId,
    name: type.name,
    category: type.category,
    price: showMoney(type.price),
    quantity: type.quantity,
    "max per reservation": type.maxPerReservation,
    "sale from": showTime(type.salesStart) || "publishing",
    "sale until": showTime(type.salesEnd) || "start",
  }));
  const pending = event.changePending
    ? "\nThe last change has not reached the sale yet; it is delivered until it has."
    : "";
  const text = [
    `${event.name} (${stateOf(event)})`,
    `${event.eventId}, version ${event.etag}`,
    `${showLocalTime(event.startsAt, event.timeZone)}, ${event.venue || "no venue"}${pending}`,
    "",
    table(
      [
        "ticket type",
        "name",
        "category",
        "price",
        "quantity",
        "max per reservation",
        "sale from",
        "sale until",
      ],
      types,
    ),
  ].join("\n");
  return { json: { event: jsonOf(EventSchema, event) }, text };
}

export const stateOf = ({ state }: Event): string => showEnum(EventState, state);
