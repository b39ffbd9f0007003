import { EventSchema, EventState } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { Command, Option } from "commander";
import { limitOption, moreHint, parseUuid } from "../arguments.ts";
import { eventAnswer, stateOf } from "../event-answer.ts";
import { answering, jsonOf, operatorCommand } from "../operator-command.ts";
import { readPages } from "../pages.ts";
import { showLocalTime } from "../show.ts";
import { table } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { createCommand } from "./event-acts.ts";

const STATES = ["draft", "published", "cancelled"] as const;
type State = (typeof STATES)[number];

/** `events`: what is on. */
export function eventsCommand(terminal: Terminal): Command {
  return new Command("events")
    .description("See events, drafts included, and create them.")
    .addCommand(listCommand(terminal))
    .addCommand(showCommand(terminal))
    .addCommand(createCommand(terminal));
}

function listCommand(terminal: Terminal): Command {
  return operatorCommand("list")
    .description("List events by starting time, soonest first.")
    .option("--query <words>", "words that name or venue contain", "")
    .addOption(new Option("--state <states...>", "only these").choices(STATES))
    .addOption(limitOption())
    .action(
      answering(terminal, async ({ catalog }, options: { query: string; state?: State[]; limit: number }) => {
        const states =
          options.state?.map((state) => EventState[state.toUpperCase() as Uppercase<State>]) ?? [];
        const { items: events, hasMore } = await readPages(options.limit, async (page) => {
          const { events, nextPageToken } = await catalog.listEvents({
            ...page,
            query: options.query,
            states,
          });
          return { items: events, nextPageToken };
        });
        const rows = events.map((event) => ({
          event: event.eventId,
          state: stateOf(event),
          starts: showLocalTime(event.startsAt, event.timeZone),
          tickets: event.ticketTypes.reduce((sum, { quantity }) => sum + quantity, 0),
          name: event.name,
        }));
        return {
          json: { events: events.map((event) => jsonOf(EventSchema, event)), hasMore },
          text: table(["event", "state", "starts", "tickets", "name"], rows) + moreHint(hasMore),
        };
      }),
    );
}

function showCommand(terminal: Terminal): Command {
  return operatorCommand("show")
    .description("Show one event with its ticket types.")
    .argument("<event>", "its id", parseUuid)
    .action(
      answering(terminal, async ({ catalog }, eventId: string, _options: object) => {
        const { event } = await catalog.getEvent({ eventId });
        return eventAnswer(event);
      }),
    );
}
