import { zonedTime as zonedTimeOf } from "@boxoffice/platform/zoned-time.ts";
import {
  type Event,
  EventSchema,
  type TicketTypeSchema,
} from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";

/** What a demo event is made of, and what becomes of it. */
export type DemoEvent = {
  /** Names its requests, so that one that is repeated is recognised. */
  key: string;
  event: Event;
  isCancelled?: true;
  /** Purchases that are made and paid, each a quantity by the name of the ticket type. */
  purchases?: Record<string, number>[];
};

/** A week of a box office, as seen from `firstStart`. The first event is the one to try things on. */
export function demoEvents(firstStart: Date): DemoEvent[] {
  const at = (days: number, time: string, zone: string) => zonedTime(firstStart, days, time, zone);
  return [
    {
      key: "northern-lights",
      event: event(
        "Northern Lights Festival: Opening Night",
        "Three bands, one lit-up sky. Doors open 90 minutes before the first act.",
        "Tempodrom, Berlin",
        at(45, "19:30", "Europe/Berlin"),
        "Europe/Berlin",
        [
          ticketType("Standing", "regular", 49_00, 2_500),
          ticketType("Balcony seat", "premium", 79_00, 800),
          ticketType("Backstage", "vip", 249_00, 40, { maxPerReservation: 2 }),
        ],
      ),
    },
    {
      key: "winter-evenings",
      event: event(
        "Winter Evenings: Schubert and Brahms",
        "The City Chamber Orchestra plays the Unfinished and the Fourth.",
        "Konzerthaus, Wien",
        at(21, "20:00", "Europe/Vienna"),
        "Europe/Vienna",
        [
          ticketType("Gallery", "regular", 28_00, 420),
          ticketType("Parterre", "premium", 64_00, 310),
          ticketType("Box", "vip", 120_00, 48, { maxPerReservation: 6 }),
        ],
      ),
    },
    {
      key: "blue-room",
      event: event(
        "Blue Room Sessions: Mara Lindqvist Trio",
        "A small room, two sets, and very few seats left.",
        "Blue Room, København",
        at(9, "21:00", "Europe/Copenhagen"),
        "Europe/Copenhagen",
        [ticketType("Table seat", "premium", 38_00, 40), ticketType("Bar", "regular", 22_00, 20)],
      ),
      purchases: [
        { "Table seat": 10, Bar: 5 },
        { "Table seat": 10 },
        { "Table seat": 10, Bar: 8 },
        { "Table seat": 8 },
        { Bar: 6 },
      ],
    },
    {
      key: "midsummer",
      event: event(
        "Midsummer Open Air",
        "Tickets go on sale in two weeks, at 10:00 sharp.",
        "Kaisaniemi Park, Helsinki",
        at(120, "17:00", "Europe/Helsinki"),
        "Europe/Helsinki",
        [
          ticketType("Day ticket", "regular", 85_00, 12_000, {
            salesStart: at(14, "10:00", "Europe/Helsinki"),
          }),
          ticketType("Lakeside terrace", "vip", 190_00, 400, {
            salesStart: at(14, "10:00", "Europe/Helsinki"),
            maxPerReservation: 4,
          }),
        ],
      ),
    },
    {
      key: "harbour-comedy",
      event: event(
        "Harbour Comedy Gala",
        "Cancelled: the ferry that is its stage stays in the dock.",
        "Doca de Santo Amaro, Lisboa",
        at(30, "21:30", "Europe/Lisbon"),
        "Europe/Lisbon",
        [ticketType("Deck", "regular", 32_00, 300), ticketType("Captain's table", "vip", 95_00, 24)],
      ),
      isCancelled: true,
    },
  ];
}

/** The moment at which clocks in `zone` show `time` ("20:00"), `days` days after `from`. */
export function zonedTime(from: Date, days: number, time: string, zone: string): Timestamp {
  const day = new Date(from.getTime() + days * 86_400_000).toISOString().slice(0, 10);
  return timestampFromDate(zonedTimeOf(`${day}T${time}`, zone));
}

function event(
  name: string,
  description: string,
  venue: string,
  startsAt: Timestamp,
  timeZone: string,
  ticketTypes: MessageInitShape<typeof TicketTypeSchema>[],
): Event {
  return create(EventSchema, { name, description, venue, startsAt, timeZone, ticketTypes });
}

function ticketType(
  name: string,
  category: string,
  cents: number,
  quantity: number,
  more: { maxPerReservation?: number; salesStart?: Timestamp } = {},
): MessageInitShape<typeof TicketTypeSchema> {
  return { name, category, price: { currencyCode: "EUR", minorUnits: BigInt(cents) }, quantity, ...more };
}
