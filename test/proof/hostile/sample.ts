import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { Random } from "../../faults/random.ts";

/** Ids that exist, so that what is sent goes deep; each list may be empty. */
export type Pool = {
  events: { eventId: string; types: readonly string[] }[];
  reservations: string[];
  payments: string[];
};

/** A message in JSON. A plain object that may be changed at will. */
export type JsonTree = { [key: string]: unknown };

const MAX_DEPTH = 4;
const DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * A message such as an honest client sends, in JSON: it goes by the descriptor, so that it has something for a method
 * that nobody has told it of, and by the names of fields, so that it knows which ids belong there.
 */
export function sampleMessage(desc: DescMessage, pool: Pool, random: Random): JsonTree {
  const event = pool.events.length > 0 ? random.pick(pool.events) : { eventId: newUuid(random), types: [] };
  return sample(desc, { pool, random, event }, 0);
}

/** A UUID of version 7, as good as any. */
export function newUuid(random: Random): string {
  const hex = (digits: number) =>
    random
      .int(0, 16 ** digits - 1)
      .toString(16)
      .padStart(digits, "0");
  return `${hex(8)}-${hex(4)}-7${hex(3)}-8${hex(3)}-${hex(8)}${hex(4)}`;
}

type Drawing = { pool: Pool; random: Random; event: Pool["events"][number] };

function sample(desc: DescMessage, drawing: Drawing, depth: number): JsonTree {
  const tree: JsonTree = {};
  const { random } = drawing;
  for (const member of desc.members) {
    const field = member.kind === "oneof" ? random.pick(member.fields) : member;
    if (!isWorthIt(field, random, depth)) continue;
    tree[field.jsonName] = sampleField(field, drawing, depth);
  }
  return tree;
}

/** Ids and what stands in a list are needed nearly always; most other fields may be left out. */
function isWorthIt(field: DescField, random: Random, depth: number): boolean {
  if (depth > MAX_DEPTH) return false;
  if (/^(customer|request_id|page_token|etag|update_mask|traceparent)$/.test(field.name))
    return random.chance(0.3);
  return random.chance(0.9);
}

function sampleField(field: DescField, drawing: Drawing, depth: number): unknown {
  const { random } = drawing;
  switch (field.fieldKind) {
    case "list": {
      const length = random.pick([1, 1, 1, 2, 3]);
      return Array.from({ length }, (_, index) => sampleItem(field, drawing, depth, index));
    }
    case "map":
      return { key: "value" };
    default:
      return sampleItem(field, drawing, depth, 0);
  }
}

function sampleItem(field: DescField, drawing: Drawing, depth: number, index: number): unknown {
  if (field.message !== undefined) return sampleSubMessage(field.message, drawing, depth, index);
  if (field.enum !== undefined) return drawing.random.pick(field.enum.values).name;
  switch (field.scalar) {
    case ScalarType.STRING:
      return sampleText(field.name, drawing, index);
    case ScalarType.BOOL:
      return drawing.random.chance(0.5);
    case ScalarType.BYTES:
      return "AAEC";
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return String(drawing.random.int(1, 2_000));
    default:
      return sampleInteger(field.name, drawing.random);
  }
}

function sampleSubMessage(desc: DescMessage, drawing: Drawing, depth: number, index: number): unknown {
  const { random } = drawing;
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
      return new Date(Date.now() + random.int(1, 30) * DAY_MS).toISOString();
    case "google.protobuf.Duration":
      return `${random.int(1, 100)}s`;
    case "google.protobuf.FieldMask":
      return random.pick(["name", "venue,description", "quantity", "price"]);
    case "boxoffice.common.v1.Money":
      return { currencyCode: "EUR", minorUnits: String(random.int(0, 10_000)) };
    default:
      return { ...sample(desc, drawing, depth + 1), ...typeOf(desc, drawing, index) };
  }
}

/** Each ticket type stands once in a wish. */
function typeOf(desc: DescMessage, { event }: Drawing, index: number): JsonTree {
  const type = event.types[index];
  return type !== undefined && desc.field.ticketTypeId ? { ticketTypeId: type } : {};
}

function sampleText(name: string, { pool, random, event }: Drawing, index: number): string {
  switch (name) {
    case "event_id":
      return event.eventId;
    case "ticket_type_id":
      return event.types[index] ?? newUuid(random);
    case "reservation_id":
      return pool.reservations.length > 0 ? random.pick(pool.reservations) : newUuid(random);
    case "payment_id":
      return pool.payments.length > 0 ? random.pick(pool.payments) : newUuid(random);
    case "request_id":
      return newUuid(random);
    case "email":
      return "ada@example.com";
    case "currency_code":
      return "EUR";
    case "time_zone":
      return "Europe/Berlin";
    case "token":
      return random.pick(["a card", "card_error", "payment_error"]);
    case "page_token":
      return "";
    case "traceparent":
      return "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    default:
      return `${name} ${random.int(1, 1_000)}`;
  }
}

function sampleInteger(name: string, random: Random): number {
  if (name === "page_size") return random.int(1, 5);
  if (name === "timeout_ms") return 10_000;
  return name === "quantity" && random.chance(0.9) ? random.int(1, 3) : random.int(1, 100);
}
