import { invalidField } from "@boxoffice/platform/errors.ts";
import { type EventFields, nameKey, type TicketType, type TicketTypeFields } from "./event.ts";

/** More would not fit the command that opens the sale. */
export const MAX_TICKET_TYPES = 100;

/** @throws BoxofficeError INVALID_REQUEST that names the field below `field` */
export function checkEventName(field: string, { name }: Pick<EventFields, "name">): void {
  if (name === "") throw invalidField(`${field}.name`, "must not be blank");
}

/** @throws BoxofficeError INVALID_REQUEST unless the event starts after `now` */
export function checkStart(field: string, { startsAt }: Pick<EventFields, "startsAt">, now: Date): void {
  if (startsAt <= now) throw invalidField(`${field}.starts_at`, "must be in the future");
}

/**
 * A ticket type that may stand beside `others`, with its category filled in.
 *
 * @throws BoxofficeError INVALID_REQUEST that names the field below `field`
 */
export function completeTicketType<Type extends TicketTypeFields>(
  field: string,
  type: Type,
  others: readonly TicketType[],
): Type {
  if (type.name === "") throw invalidField(`${field}.name`, "must not be blank");
  if (others.some(({ name }) => nameKey(name) === nameKey(type.name))) {
    throw invalidField(`${field}.name`, "is the name of another ticket type of this event");
  }
  if (type.salesStart !== null && type.salesEnd !== null && type.salesStart >= type.salesEnd) {
    throw invalidField(`${field}.sales_end`, "must be after sales_start");
  }
  return { ...type, category: type.category === "" ? type.name.toLowerCase() : type.category };
}
