import type { Event } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { vi } from "vitest";
import type { DemoClients } from "../../local/demo.ts";

const DAY_SECONDS = 86_400;
const PRICE_CENTS = 1500n;

type TypeOptions = { salesStart?: { seconds: bigint }; maxPerReservation?: number };

/**
 * Puts an event on sale that starts in a month.
 *
 * @param quantities how many there are of each ticket type
 * @param options of each of its ticket types
 */
export async function putOnSale(
  { catalog, reservation }: DemoClients,
  name: string,
  quantities: Record<string, number>,
  options: TypeOptions = {},
): Promise<Event> {
  const startsAt = { seconds: BigInt(Math.floor(Date.now() / 1000) + 30 * DAY_SECONDS) };
  const ticketTypes = Object.entries(quantities).map(([type, quantity]) => ({
    name: type,
    price: { currencyCode: "EUR", minorUnits: PRICE_CENTS },
    quantity,
    ...options,
  }));
  const { event } = await catalog.createEvent({
    event: { name, venue: "A House", startsAt, timeZone: "Europe/Berlin", ticketTypes },
  });
  if (event === undefined) throw new Error("no event was made");
  const { eventId } = event;
  await catalog.publishEvent({ eventId });
  await vi.waitFor(() => reservation.getAvailability({ eventId }), { timeout: 60_000, interval: 100 });
  return event;
}
