import {
  CategoryStatsSchema,
  EventStatsSchema,
  GetCategoryStatsResponseSchema,
  GetEventStatsResponseSchema,
  GetOverviewResponseSchema,
  type Overview,
} from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { limitOption, moreHint, parseUuid } from "../arguments.ts";
import { answering, jsonOf, operatorCommand } from "../operator-command.ts";
import { readPages } from "../pages.ts";
import { showMoney, showPercent, showTime } from "../show.ts";
import { table } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { rebuildCommand, verifyCommand } from "./stats-tasks.ts";

/** `stats`: how the sale goes, as tables. */
export function statsCommand(terminal: Terminal): Command {
  return new Command("stats")
    .description("See how the sale goes. Counts are of tickets; reserved = held + paid.")
    .addCommand(overviewCommand(terminal))
    .addCommand(eventsCommand(terminal))
    .addCommand(eventCommand(terminal))
    .addCommand(categoriesCommand(terminal))
    .addCommand(categoryCommand(terminal))
    .addCommand(rebuildCommand(terminal))
    .addCommand(verifyCommand(terminal));
}

function overviewCommand(terminal: Terminal): Command {
  return operatorCommand("overview")
    .description("All events together.")
    .action(
      answering(terminal, async ({ stats }, _options: object) => {
        const answer = await stats.getOverview({});
        const { overview } = answer;
        const text = overview === undefined ? "" : table(COLUMNS, [rowOf("all events", overview)]);
        return {
          json: jsonOf(GetOverviewResponseSchema, answer),
          text: `${text}${footOf(answer.asOf, overview)}`,
        };
      }),
    );
}

function eventsCommand(terminal: Terminal): Command {
  return operatorCommand("events")
    .description("Every event, by starting time.")
    .addOption(limitOption())
    .action(
      answering(terminal, async ({ stats }, { limit }: { limit: number }) => {
        const { items, hasMore } = await readPages(limit, async (page) => {
          const { eventStats, nextPageToken } = await stats.listEventStats(page);
          return { items: eventStats, nextPageToken };
        });
        const rows = items.map((one) => ({ event: one.eventId, ...rowOf(one.name, one) }));
        return {
          json: { eventStats: items.map((one) => jsonOf(EventStatsSchema, one)), hasMore },
          text: table(["event", ...COLUMNS], rows) + moreHint(hasMore),
        };
      }),
    );
}

function eventCommand(terminal: Terminal): Command {
  return operatorCommand("event")
    .description("One event, per ticket type and in total.")
    .argument("<event>", "its id", parseUuid)
    .action(
      answering(terminal, async ({ stats }, eventId: string, _options: object) => {
        const answer = await stats.getEventStats({ eventId });
        const { eventStats } = answer;
        if (eventStats === undefined) throw new Error("the service answered without statistics");
        const rows = [
          ...eventStats.ticketTypes.map((type) => ({ ...rowOf(type.name, type), category: type.category })),
          { ...rowOf("total", eventStats), category: "" },
        ];
        const [name, ...rest] = COLUMNS;
        return {
          json: jsonOf(GetEventStatsResponseSchema, answer),
          text: `${eventStats.name}\n\n${table([name, "category", ...rest], rows)}${footOf(answer.asOf, eventStats)}`,
        };
      }),
    );
}

function categoriesCommand(terminal: Terminal): Command {
  return operatorCommand("categories")
    .description("Every category across events, by name.")
    .addOption(limitOption())
    .action(
      answering(terminal, async ({ stats }, { limit }: { limit: number }) => {
        const { items, hasMore } = await readPages(limit, async (page) => {
          const { categoryStats, nextPageToken } = await stats.listCategoryStats(page);
          return { items: categoryStats, nextPageToken };
        });
        return {
          json: { categoryStats: items.map((one) => jsonOf(CategoryStatsSchema, one)), hasMore },
          text:
            table(
              COLUMNS,
              items.map((one) => rowOf(one.category, one)),
            ) + moreHint(hasMore),
        };
      }),
    );
}

function categoryCommand(terminal: Terminal): Command {
  return operatorCommand("category")
    .description('One category, such as "vip", across all events.')
    .argument("<category>")
    .action(
      answering(terminal, async ({ stats }, category: string, _options: object) => {
        const answer = await stats.getCategoryStats({ category });
        const { categoryStats } = answer;
        if (categoryStats === undefined) throw new Error("the service answered without statistics");
        return {
          json: jsonOf(GetCategoryStatsResponseSchema, answer),
          text: `${table(COLUMNS, [rowOf(category, categoryStats)])}${footOf(answer.asOf)}`,
        };
      }),
    );
}

const COLUMNS = [
  "name",
  "quantity",
  "available",
  "held",
  "paid",
  "expired",
  "cancelled",
  "refunded",
  "revenue",
  "sold",
] as const;

type Figures = Pick<
  Overview,
  | "quantity"
  | "available"
  | "held"
  | "paid"
  | "expired"
  | "cancelled"
  | "refunded"
  | "revenue"
  | "sellThrough"
>;

function rowOf(name: string, figures: Figures) {
  const { quantity, available, held, paid, expired, cancelled, refunded, revenue, sellThrough } = figures;
  return {
    name,
    quantity,
    available,
    held,
    paid,
    expired,
    cancelled,
    refunded,
    revenue: showMoney(revenue),
    sold: showPercent(sellThrough),
  };
}

function footOf(
  asOf: Timestamp | undefined,
  figures?: Pick<Overview, "reservations" | "paymentFailures">,
): string {
  const { reservations, paymentFailures = [] } = figures ?? {};
  const lines = [
    reservations &&
      `Reservations: ${reservations.held} held, ${reservations.paid} paid, ${reservations.expired} expired, ` +
        `${reservations.cancelled} cancelled; ${showPercent(reservations.conversion)} of those that ended were paid.`,
    paymentFailures.length > 0 &&
      `Failed payments: ${paymentFailures.map(({ reason, count }) => `${count} ${reason}`).join(", ")}.`,
    asOf && `As of ${showTime(asOf)}.`,
  ];
  return lines
    .filter(Boolean)
    .map((line) => `\n${line}`)
    .join("");
}
