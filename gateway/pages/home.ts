import type { Logger } from "@boxoffice/platform/log.ts";
import type { Runtime } from "@boxoffice/platform/runtime.ts";
import {
  type CatalogService,
  type Event,
  EventState,
} from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type {
  ReservationService,
  TicketTypeAvailability,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { type EventOnSale, renderHome, renderUnavailable } from "./home-view.ts";
import type { Page } from "./page.ts";

export type HomePageOptions = {
  catalog: Pick<Client<typeof CatalogService>, "listEvents">;
  reservation: Pick<Client<typeof ReservationService>, "getAvailability">;
  runtime: Pick<Runtime, "nowMs">;
  log: Logger;
};

/** How many of the next events are shown. */
const MAX_EVENTS = 50;

/** How long the services may take to say what the page shows, in milliseconds. */
const TIMEOUT_MS = 3000;

/** For this long everybody sees the same page, in milliseconds: it costs a call for each event to make one. */
const KEEP_MS = 1000;

/**
 * The page at `/`: which events are on sale, and how many tickets are left.
 *
 * @returns a function that makes the page, at most once in {@link KEEP_MS}; it never rejects
 */
export function createHomePage(options: HomePageOptions): () => Promise<Page> {
  const { runtime, log } = options;
  let made: Promise<Page> | undefined;
  let madeAtMs = 0;
  return () => {
    if (made === undefined || runtime.nowMs() - madeAtMs >= KEEP_MS) {
      madeAtMs = runtime.nowMs();
      made = readEvents(options).then(renderHome, (error: unknown) => {
        log.warn({ error }, "the page of events cannot be made");
        return renderUnavailable();
      });
    }
    return made;
  };
}

async function readEvents(options: HomePageOptions): Promise<EventOnSale[]> {
  const { catalog, runtime } = options;
  const { events } = await catalog.listEvents(
    {
      pageSize: MAX_EVENTS,
      startsAfter: timestampFromMs(runtime.nowMs()),
      states: [EventState.PUBLISHED, EventState.CANCELLED],
    },
    { timeoutMs: TIMEOUT_MS },
  );
  return Promise.all(
    events.map(async (event) => ({ event, availability: await readAvailability(event, options) })),
  );
}

/** What is on is worth knowing also while nobody can say how many tickets are left. */
async function readAvailability(
  { eventId }: Event,
  { reservation, log }: HomePageOptions,
): Promise<TicketTypeAvailability[] | undefined> {
  try {
    return (await reservation.getAvailability({ eventId }, { timeoutMs: TIMEOUT_MS })).ticketTypes;
  } catch (error) {
    log.warn({ eventId, error }, "the availability of an event is not known");
    return undefined;
  }
}
