import { zonedTime } from "@boxoffice/platform/zoned-time.ts";
import { type Event, EventSchema } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";

/** An event as it is typed. Times are those of the place. */
export type EventDraft = {
  name: string;
  description: string;
  venue: string;
  /** "2026-08-01" */
  date: string;
  /** "19:30" */
  time: string;
  timeZone: string;
  types: readonly TypeDraft[];
};

export type TypeDraft = {
  /** Tells the fields of one type from those of another, while types come and go. */
  key: number;
  name: string;
  category: string;
  price: string;
  quantity: string;
  most: string;
  /** "2026-07-01T10:00", or empty. */
  salesStart: string;
};

/** What is wrong with a draft that no field by itself can tell. */
export type DraftFault = "badPrice" | "badZone";

/** The message that creates the event. @returns a fault where there is one */
export function eventOf(draft: EventDraft): Event | DraftFault {
  const prices = draft.types.map(({ price }) => centsOf(price));
  if (prices.includes(undefined)) return "badPrice";
  try {
    const at = (local: string): Timestamp => timestampFromDate(zonedTime(local, draft.timeZone));
    return create(EventSchema, {
      name: draft.name.trim(),
      description: draft.description.trim(),
      venue: draft.venue.trim(),
      startsAt: at(`${draft.date}T${draft.time}`),
      timeZone: draft.timeZone,
      ticketTypes: draft.types.map((type, index) => ({
        name: type.name.trim(),
        category: type.category.trim(),
        price: { currencyCode: "EUR", minorUnits: prices[index] ?? 0n },
        quantity: Number(type.quantity),
        maxPerReservation: Number(type.most),
        ...(type.salesStart && { salesStart: at(type.salesStart) }),
      })),
    });
  } catch (error) {
    if (error instanceof RangeError) return "badZone";
    throw error;
  }
}

/** "49", "49.5", "49,50" in cents. @returns undefined where it is no price */
export function centsOf(price: string): bigint | undefined {
  const [, euros, cents = ""] = /^(\d{1,9})(?:[.,](\d{1,2}))?$/.exec(price.trim()) ?? [];
  return euros === undefined ? undefined : BigInt(euros) * 100n + BigInt(cents.padEnd(2, "0"));
}
