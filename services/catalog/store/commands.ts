import { appendAudit } from "@boxoffice/platform/audit.ts";
import type { Database, Queryable } from "@boxoffice/platform/database.ts";
import type { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { describeChange } from "../domain/describe-change.ts";
import type { Command } from "../domain/event.ts";
import { type LoweringCommand, takeBack } from "../domain/take-back.ts";
import { type ChangeOptions, lockEvent } from "./change.ts";
import { type CommandRow, toCommand, toCommandContent } from "./rows.ts";
import { saveChange } from "./save.ts";

/** A command that its holder alone delivers, until the lease ends. */
export type ClaimedCommand = {
  eventId: string;
  version: bigint;
  command: Command;
  /** This one included. */
  attempts: number;
  leaseId: string;
};

export type ClaimOptions = {
  leaseId: string;
  leaseMs: number;
  limit: number;
  /** Only this event's, and even if its last attempt was a moment ago. */
  eventId?: string;
};

/**
 * Takes the first pending command of each event that is due and that nobody else is delivering. Those behind it
 * wait, so that the sale hears of every event's changes in their order.
 */
export async function claimCommands(on: Queryable, options: ClaimOptions): Promise<ClaimedCommand[]> {
  const { leaseId, leaseMs, limit, eventId } = options;
  const rows = await on.query<CommandRow & { event_id: string; version: bigint; attempts: number }>({
    name: "claim-commands",
    text: `
      with heads as (
        select event_id, version from catalog.commands c
        where state = 'PENDING'
          and case when $4::uuid is null then attempt_at <= catalog.clock() else event_id = $4 end
          and (leased_until is null or leased_until <= catalog.clock())
          and not exists (
            select from catalog.commands earlier
            where earlier.event_id = c.event_id and earlier.version < c.version and earlier.state = 'PENDING'
          )
        order by attempt_at
        limit $3
        for update skip locked
      )
      update catalog.commands c
      set lease_id = $1, leased_until = catalog.clock() + $2 * interval '1 ms', attempts = attempts + 1
      from heads
      where c.event_id = heads.event_id and c.version = heads.version
      returning c.event_id, c.version, c.kind, c.content, c.attempts`,
    values: [leaseId, leaseMs, limit, eventId ?? null],
  });
  return rows.map((row) => ({
    eventId: row.event_id,
    version: row.version,
    command: toCommand(row),
    attempts: row.attempts,
    leaseId,
  }));
}

/** Marks a command as done. Whoever lost the lease meanwhile changes nothing. */
export async function markDelivered(on: Queryable, claimed: ClaimedCommand): Promise<void> {
  await on.query({
    name: "mark-command-delivered",
    text: `
      update catalog.commands
      set state = 'DELIVERED', answered_at = catalog.clock(), lease_id = null, leased_until = null
      where event_id = $1 and version = $2 and lease_id = $3`,
    values: [claimed.eventId, claimed.version, claimed.leaseId],
  });
}

/** Gives a command back, to be tried again after `delayMs`. */
export async function postpone(on: Queryable, claimed: ClaimedCommand, delayMs: number): Promise<void> {
  await on.query({
    name: "postpone-command",
    text: `
      update catalog.commands
      set attempt_at = catalog.clock() + $4 * interval '1 ms', lease_id = null, leased_until = null
      where event_id = $1 and version = $2 and lease_id = $3`,
    values: [claimed.eventId, claimed.version, claimed.leaseId, delayMs],
  });
}

/** What a command that was refused for good tells the caller who waits for it. */
export type Refusal = Pick<BoxofficeError, "reason" | "message" | "metadata">;

/** Takes a refused change back, in a transaction: the event has a new version, in which it is undone. */
export function takeCommandBack(
  { database, newId }: ChangeOptions,
  claimed: ClaimedCommand & { command: LoweringCommand },
  { reason, message, metadata }: Refusal,
): Promise<void> {
  const { eventId, version, leaseId } = claimed;
  return database.transaction(async (tx) => {
    const { stored, now } = await lockEvent(tx, eventId);
    const marked = await tx.query({
      text: `
        update catalog.commands
        set state = 'REFUSED', refusal = $4::jsonb, answered_at = $5, lease_id = null, leased_until = null
        where event_id = $1 and version = $2 and lease_id = $3
        returning version`,
      values: [eventId, version, leaseId, JSON.stringify({ reason, message, metadata }), now],
    });
    if (marked.length === 0) return; // somebody else has the lease now
    const behind = await tx.query<CommandRow & { version: bigint }>({
      text: `
        select version, kind, content from catalog.commands
        where event_id = $1 and version > $2 and state = 'PENDING'
        order by version
        for update`,
      values: [eventId, version],
    });
    const later = behind.map((row) => ({ version: row.version, command: toCommand(row) }));
    const change = takeBack(stored.event, claimed.command, later);
    await tx.query({
      text: `
        update catalog.commands c set content = rebased.content
        from unnest($2::bigint[], $3::jsonb[]) as rebased (version, content)
        where c.event_id = $1 and c.version = rebased.version`,
      values: [
        eventId,
        change.rebased.map((one) => one.version),
        change.rebased.map(({ command }) => toCommandContent(command)),
      ],
    });
    const deed = describeChange(stored.event, change);
    const act = { actor: "catalog", action: "TakeBack", reason: `${reason}: ${message}` };
    await Promise.all([
      saveChange(tx, newId, now, change),
      appendAudit(tx, "catalog", newId, now, { ...act, ...deed }),
    ]);
  });
}

export type CommandState = { state: "PENDING" | "DELIVERED" | "REFUSED"; refusal: Refusal | null };

/** What became of a command. */
export async function readCommand(
  database: Database,
  eventId: string,
  version: bigint,
): Promise<CommandState | undefined> {
  const [row] = await database.query<CommandState>({
    name: "read-command",
    text: "select state, refusal from catalog.commands where event_id = $1 and version = $2",
    values: [eventId, version],
  });
  return row;
}
