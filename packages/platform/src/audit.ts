import type { AuditEntrySchema, AuditFilter } from "@boxoffice/proto/boxoffice/common/v1/audit_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Queryable, Transaction } from "./database.ts";
import { cutPage, parsePage, sortKey } from "./pages.ts";
import { parseId, parseOptionalTime } from "./parse.ts";

/** Who does something, what it is called in the contract, and why. */
export type Act = { actor: string; action: string; reason: string };

/** What an act came to. */
export type Deed = {
  /** The id of what was acted on. A reservation goes by its ref: its id is its owner's secret. */
  target: string;
  eventId: string | null;
  /** What changed, for people. No customer, no card, no token. */
  details?: Record<string, string>;
};

/**
 * Writes what an operator did, in the transaction that does it. The table is `<schema>.audit_entries`, where nothing
 * is ever changed.
 *
 * @param at when it was done, by the database's clock
 */
export async function appendAudit(
  tx: Transaction,
  schema: string,
  newId: () => string,
  at: Date,
  { actor, action, reason, target, eventId, details = {} }: Act & Deed,
): Promise<void> {
  await tx.query({
    name: "append-audit",
    text: `
      insert into ${schema}.audit_entries
        (audit_entry_id, happened_at, actor, action, target, event_id, reason, details)
      values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb)`,
    values: [newId(), at, actor, action, target, eventId, reason, JSON.stringify(details)],
  });
}

/** The request of every service's `ListAuditEntries`. */
export type ListAuditEntriesRequest = {
  pageSize: number;
  pageToken: string;
  filter?: AuditFilter | undefined;
};

/**
 * Answers `ListAuditEntries`: newest first.
 *
 * @throws BoxofficeError INVALID_REQUEST
 */
export async function listAuditEntries(on: Queryable, schema: string, request: ListAuditEntriesRequest) {
  const { size, after } = parsePage(request, sortKey.time, sortKey.id);
  const { actor, action, target, eventId, from, until } = request.filter ?? NO_FILTER;
  const rows = await on.query<AuditRow>({
    text: `
      select audit_entry_id, happened_at, actor, action, target, event_id, reason, details
      from ${schema}.audit_entries
      where ($1::text = '' or actor = $1)
        and ($2::text = '' or action = $2)
        and ($3::text = '' or target = $3)
        and ($4::uuid is null or event_id = $4)
        and ($5::timestamptz is null or happened_at >= $5)
        and ($6::timestamptz is null or happened_at < $6)
        and ($7::timestamptz is null or (happened_at, audit_entry_id) < ($7, $8::uuid))
      order by happened_at desc, audit_entry_id desc
      limit $9`,
    values: [
      actor,
      action,
      target,
      eventId === "" ? null : parseId(eventId),
      parseOptionalTime("filter.from", from),
      parseOptionalTime("filter.until", until),
      after?.[0] ?? null,
      after?.[1] ?? null,
      size + 1,
    ],
  });
  const { page, nextPageToken } = cutPage(rows, size, (row) => [
    row.happened_at.toISOString(),
    row.audit_entry_id,
  ]);
  return { entries: page.map(toEntryMessage), nextPageToken };
}

const NO_FILTER = { actor: "", action: "", target: "", eventId: "", from: undefined, until: undefined };

type AuditRow = {
  audit_entry_id: string;
  happened_at: Date;
  actor: string;
  action: string;
  target: string;
  event_id: string | null;
  reason: string;
  details: Record<string, string>;
};

const toEntryMessage = (row: AuditRow): MessageInitShape<typeof AuditEntrySchema> => ({
  auditEntryId: row.audit_entry_id,
  time: timestampFromDate(row.happened_at),
  actor: row.actor,
  action: row.action,
  target: row.target,
  eventId: row.event_id ?? "",
  reason: row.reason,
  details: row.details,
});
