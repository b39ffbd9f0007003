import { isRefusal } from "@boxoffice/platform/errors.ts";
import { EventState } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import {
  type RecountResponse,
  RecountResponseSchema,
  type StockCount,
  type TicketTypeRecount,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import type { Command } from "commander";
import { parseUuid } from "../arguments.ts";
import { EXIT } from "../failure.ts";
import { answering, jsonOf, operatorCommand } from "../operator-command.ts";
import { readPages } from "../pages.ts";
import type { Services } from "../services.ts";
import { table } from "../table.ts";
import type { Terminal } from "../terminal.ts";

/** `recount`: whether the books of the stock are right. */
export function recountCommand(terminal: Terminal): Command {
  return operatorCommand("recount")
    .description("Count the stock again from the reservations, and compare it with the books.")
    .argument("[event]", "its id; every event that was ever on sale, when none is given", parseUuid)
    .addHelpText(
      "after",
      "\nEnds with 2 where they differ: then sell no more of the event, and find out why.",
    )
    .action(
      answering(terminal, async (services, eventId: string | undefined, _options: object) => {
        const eventIds = eventId === undefined ? await eventsOnSale(services) : [eventId];
        const { reservation } = services;
        const counted: { eventId: string; recount: RecountResponse }[] = [];
        for (const id of eventIds) {
          // An event that was published a moment ago may not have reached the sale.
          const recount = await reservation.recount({ eventId: id }).catch((error: unknown) => {
            if (eventId === undefined && isRefusal(error, "EVENT_NOT_FOUND")) return undefined;
            throw error;
          });
          if (recount !== undefined) counted.push({ eventId: id, recount });
        }
        const rows = counted.flatMap(({ eventId, recount }) =>
          recount.ticketTypes.flatMap((type) => differencesOf(eventId, type)),
        );
        const consistent = counted.every(({ recount }) => recount.consistent);
        const types = counted.reduce((sum, { recount }) => sum + recount.ticketTypes.length, 0);
        const size = `${types} ticket types of ${counted.length} events`;
        return {
          json: {
            consistent,
            events: counted.map(({ eventId, recount }) => ({
              eventId,
              ...(jsonOf(RecountResponseSchema, recount) as object),
            })),
          },
          text: consistent
            ? `The books are right: ${size}.`
            : `${table(["event", "ticket type", "name", "what", "booked", "counted"], rows)}\nThe books are wrong (${size} were counted).`,
          exit: consistent ? EXIT.done : EXIT.wrong,
        };
      }),
    );
}

async function eventsOnSale({ catalog }: Services): Promise<string[]> {
  const states = [EventState.PUBLISHED, EventState.CANCELLED];
  const { items } = await readPages(Number.POSITIVE_INFINITY, async (page) => {
    const { events, nextPageToken } = await catalog.listEvents({ ...page, states });
    return { items: events, nextPageToken };
  });
  return items.map(({ eventId }) => eventId);
}

const COUNTS = ["quantity", "available", "held", "paid"] as const satisfies (keyof StockCount)[];

function differencesOf(eventId: string, { ticketTypeId, name, booked, counted }: TicketTypeRecount) {
  return COUNTS.filter((what) => booked?.[what] !== counted?.[what]).map((what) => ({
    event: eventId,
    "ticket type": ticketTypeId,
    name,
    what,
    booked: booked?.[what],
    counted: counted?.[what],
  }));
}
