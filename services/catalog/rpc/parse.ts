import { createHash } from "node:crypto";
import { invalidField } from "@boxoffice/platform/errors.ts";
import { parseId, parseOptionalTime, parsePrice, parseTime } from "@boxoffice/platform/parse.ts";
import { type Event, EventState, type TicketType } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { FieldMask, Timestamp } from "@bufbuild/protobuf/wkt";
import {
  EVENT_STATES,
  type EventFields,
  type EventState as State,
  type TicketTypeFields,
} from "../domain/event.ts";
import type { Request } from "../store/change.ts";

/** What an unset `max_per_reservation` means. */
const DEFAULT_MAX_PER_RESERVATION = 10;

/**
 * The fields of an event that its operator sets; what the server sets is ignored. Errors name fields below `event`.
 *
 * @throws BoxofficeError INVALID_REQUEST
 */
export const parseEvent = (event: Event): EventFields => parseFields(EVENT_FIELDS, "event", event);

/** @throws BoxofficeError INVALID_REQUEST that names the field below `field` */
export const parseTicketType = (field: string, type: TicketType): TicketTypeFields =>
  parseFields(TICKET_TYPE_FIELDS, field, type);

/**
 * The fields that `mask` names; the others are not looked at.
 *
 * @throws BoxofficeError INVALID_REQUEST for a field below `event`, and for an `update_mask` that is empty or
 *   names what cannot be changed
 */
export const parseEventPatch = (event: Event, mask: FieldMask): Partial<EventFields> =>
  parseFields(masked(EVENT_FIELDS, mask), "event", event);

/** The same for a ticket type, below `ticket_type`. */
export const parseTicketTypePatch = (type: TicketType, mask: FieldMask): Partial<TicketTypeFields> =>
  parseFields(masked(TICKET_TYPE_FIELDS, mask), "ticket_type", type);

/** The id that the caller gave an act, with the hash of all that it asks for; undefined where they gave none. */
export function parseRequest(requestId: string, content: Record<string, unknown>): Request | undefined {
  if (requestId === "") return undefined;
  const canonical = JSON.stringify(content, (_key, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
  return { requestId: parseId(requestId), contentHash: createHash("sha256").update(canonical).digest() };
}

/** Words are told apart by white space. */
export const parseWords = (query: string): string[] => query.split(/\s+/u).filter((word) => word !== "");

/**
 * The states to list: those asked for, of those that the caller may see.
 *
 * @param visible all that the caller may see, which is also what nobody asked for in particular means
 */
export function parseStates(asked: readonly EventState[], visible: readonly State[]): State[] {
  return visible.filter((state) => asked.length === 0 || asked.includes(EventState[state]));
}

/** The states that a caller may see. */
export const visibleStates = (isOperator: boolean): readonly State[] =>
  isOperator ? EVENT_STATES : EVENT_STATES.filter((state) => state !== "DRAFT");

/** How to read a field of a message, by the path that a mask has for it. The order is that of the hashes. */
type FieldParsers<Message, Fields> = {
  [Path: string]: {
    [Name in keyof Fields]: [Name, (field: string, message: Message) => Fields[Name]];
  }[keyof Fields];
};

const EVENT_FIELDS: FieldParsers<Event, EventFields> = {
  name: ["name", (_, { name }) => name.trim()],
  description: ["description", (_, { description }) => description],
  venue: ["venue", (_, { venue }) => venue.trim()],
  starts_at: ["startsAt", (field, { startsAt }) => parseTime(field, required(field, startsAt))],
  time_zone: ["timeZone", (field, { timeZone }) => parseTimeZone(field, timeZone)],
};

const TICKET_TYPE_FIELDS: FieldParsers<TicketType, TicketTypeFields> = {
  name: ["name", (_, { name }) => name.trim()],
  category: ["category", (_, { category }) => category.trim().toLowerCase()],
  price: ["priceMinor", (field, { price }) => parsePrice(field, price)],
  quantity: ["quantity", (_, { quantity }) => quantity],
  max_per_reservation: [
    "maxPerReservation",
    (_, { maxPerReservation }) => maxPerReservation || DEFAULT_MAX_PER_RESERVATION,
  ],
  sales_start: ["salesStart", (field, { salesStart }) => parseOptionalTime(field, salesStart)],
  sales_end: ["salesEnd", (field, { salesEnd }) => parseOptionalTime(field, salesEnd)],
};

function parseFields<Message, Fields>(
  parsers: FieldParsers<Message, Fields>,
  field: string,
  message: Message,
): Fields {
  const entries = Object.entries(parsers).map(([path, [name, parse]]) => [
    name,
    parse(`${field}.${path}`, message),
  ]);
  return Object.fromEntries(entries);
}

function masked<Message, Fields>(
  parsers: FieldParsers<Message, Fields>,
  { paths }: FieldMask,
): FieldParsers<Message, Fields> {
  const changeable = Object.keys(parsers);
  if (paths.length === 0) throw invalidField("update_mask", `must name some of ${changeable.join(", ")}`);
  if (!paths.every((path) => changeable.includes(path))) {
    throw invalidField("update_mask", `may name ${changeable.join(", ")} and nothing else`);
  }
  return Object.fromEntries(Object.entries(parsers).filter(([path]) => paths.includes(path)));
}

function required(field: string, time: Timestamp | undefined): Timestamp {
  if (time === undefined) throw invalidField(field, "must be set");
  return time;
}

/** Three letters name a zone in IANA's database in these cases only; others, such as IST, mean several places. */
const THREE_LETTER_ZONES = /^(UTC|UCT|GMT|CET|MET|EET|WET|EST|MST|HST|PRC|ROC|ROK)$/i;

/** Node knows every zone of IANA's database, and offsets besides, which no clock on a wall follows all year. */
function parseTimeZone(field: string, timeZone: string): string {
  const isAbbreviation = timeZone.length === 3 && !THREE_LETTER_ZONES.test(timeZone);
  if (!/^[A-Za-z]/.test(timeZone) || isAbbreviation || !isKnownZone(timeZone)) {
    throw invalidField(field, 'must be the IANA name of a time zone, for example "Europe/Berlin"');
  }
  return timeZone;
}

function isKnownZone(timeZone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone }));
  } catch {
    return false;
  }
}
