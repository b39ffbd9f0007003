import { setTimeout as delay } from "node:timers/promises";
import { type Event, EventSchema } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { BoxOffice } from "./box-office.ts";

/** As many tickets as a type can have: the bench measures selling, not being sold out. */
const QUANTITY = 10_000_000;
const PRICE = { currencyCode: "EUR", minorUnits: 4_900n };
const OPENS_WITHIN_MS = 30_000;
const POLL_MS = 50;
const DAY_MS = 86_400_000;

/** Puts an event on sale, through the gateway as an operator would, and waits until it can be bought. */
export async function openSale(
  { clients: { catalog } }: Pick<BoxOffice, "clients">,
  name: string,
  types: number,
): Promise<Event> {
  const event = create(EventSchema, {
    name,
    venue: "The bench",
    startsAt: timestampFromMs(Date.now() + 30 * DAY_MS),
    timeZone: "Europe/Berlin",
    ticketTypes: Array.from({ length: types }, (_, index) => ({
      name: `Type ${index + 1}`,
      category: "regular",
      price: PRICE,
      quantity: QUANTITY,
      maxPerReservation: 10,
    })),
  });
  const eventId = (await catalog.createEvent({ event })).event?.eventId ?? "";
  let opened = (await catalog.publishEvent({ eventId })).event;
  for (const deadline = Date.now() + OPENS_WITHIN_MS; opened?.changePending; ) {
    if (Date.now() > deadline) throw new Error(`the sale of "${name}" does not open`);
    await delay(POLL_MS);
    opened = (await catalog.getEvent({ eventId })).event;
  }
  if (opened === undefined) throw new Error("an answer without its event");
  return opened;
}
