import { type AuditEntry, AuditEntrySchema } from "@boxoffice/proto/boxoffice/common/v1/audit_pb.ts";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import { Option } from "commander";
import { limitOption, moreHint, parseUuid, timeOption } from "../arguments.ts";
import { answering, jsonOf, operatorCommand } from "../operator-command.ts";
import { readPages } from "../pages.ts";
import type { Services } from "../services.ts";
import { showTime } from "../show.ts";
import { table } from "../table.ts";
import type { Terminal } from "../terminal.ts";

const KEEPERS = ["catalog", "reservation", "payment"] as const;
type Keeper = (typeof KEEPERS)[number];

type Wanted = {
  service?: Keeper;
  event?: string;
  actor: string;
  action: string;
  target: string;
  from?: Timestamp;
  until?: Timestamp;
  limit: number;
};

/** `audit`: who did what, when and why. */
export function auditCommand(terminal: Terminal): Command {
  return operatorCommand("audit")
    .description("List what operators did, newest first: in the catalog, at the sale, and with payments.")
    .addOption(new Option("--service <name>", "only what this service keeps").choices(KEEPERS))
    .option("--event <id>", "only about this event", parseUuid)
    .option("--actor <name>", "only by this one: the subject of the token", "")
    .option("--action <method>", "only this, for example PublishEvent", "")
    .option("--target <id>", "only on this event, ticket type or payment", "")
    .addOption(timeOption("from"))
    .addOption(timeOption("until"))
    .addOption(limitOption(100))
    .action(
      answering(terminal, async (services, wanted: Wanted) => {
        const keepers = wanted.service === undefined ? KEEPERS : [wanted.service];
        const lists = await Promise.all(keepers.map((keeper) => entriesOf(services, keeper, wanted)));
        const all = lists.flatMap(({ entries }) => entries).sort((a, b) => timeOf(b.entry) - timeOf(a.entry));
        const shown = all.slice(0, wanted.limit);
        const hasMore = all.length > shown.length || lists.some((list) => list.hasMore);
        return {
          json: {
            entries: shown.map(({ keeper, entry }) => ({
              service: keeper,
              ...(jsonOf(AuditEntrySchema, entry) as object),
            })),
            hasMore,
          },
          text:
            table(["time", "actor", "action", "target", "what", "reason"], shown.map(rowOf)) +
            moreHint(hasMore),
        };
      }),
    );
}

async function entriesOf(services: Services, keeper: Keeper, wanted: Wanted) {
  const { event: eventId = "", actor, action, target, from, until, limit } = wanted;
  const filter = { eventId, actor, action, target, ...(from && { from }), ...(until && { until }) };
  const client = services[keeper];
  const { items, hasMore } = await readPages(limit, async (page) => {
    const { entries, nextPageToken } = await client.listAuditEntries({ ...page, filter });
    return { items: entries, nextPageToken };
  });
  return { entries: items.map((entry) => ({ keeper, entry })), hasMore };
}

const timeOf = ({ time }: AuditEntry): number => (time === undefined ? 0 : timestampMs(time));

const rowOf = ({ entry }: { entry: AuditEntry }) => ({
  time: showTime(entry.time),
  actor: entry.actor,
  action: entry.action,
  target: entry.target,
  what: Object.entries(entry.details)
    .map(([key, value]) => `${key}: ${value}`)
    .join("; "),
  reason: entry.reason,
});
