import { type Act, appendAudit } from "@boxoffice/platform/audit.ts";
import type { Database, Transaction } from "@boxoffice/platform/database.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { createEvent, type Decision, type Draft } from "../domain/changes.ts";
import { describeChange } from "../domain/describe-change.ts";
import type { Event } from "../domain/event.ts";
import { eventNotFound } from "./read.ts";
import { EVENT_COLUMNS, type EventRow, type StoredEvent, toStoredEvent } from "./rows.ts";
import { insertEvent, saveChange } from "./save.ts";

export type ChangeOptions = { database: Database; newId: () => string };

/** An act that its caller may repeat: the id they gave it, and the SHA-256 of what it asks for. */
export type Request = { requestId: string; contentHash: Buffer };

export type Changed = StoredEvent & {
  /** The version of the command that this change made for the sale, to be delivered. */
  commandVersion: bigint | undefined;
};

/**
 * Creates a draft, or finds the one that the same request made before.
 *
 * @throws BoxofficeError INVALID_REQUEST, REQUEST_ID_REUSED
 */
export function createDraft(
  { database, newId }: ChangeOptions,
  draft: Draft,
  act: Act,
  request: Request | undefined,
): Promise<StoredEvent> {
  return database.transaction(async (tx) => {
    const repeated = await rememberRequest(tx, request, draft.eventId);
    if (repeated !== undefined) return (await readEvent(tx, repeated)).stored;
    const now = await readClock(tx);
    const change = createEvent(draft, now);
    const deed = describeChange(undefined, change);
    await Promise.all([
      insertEvent(tx, newId, now, change),
      appendAudit(tx, "catalog", newId, now, { ...act, ...deed }),
    ]);
    return { event: change.event, changePending: false };
  });
}

/**
 * Changes an event as `decide` says, who sees it locked and so decides about its last state. The command for the
 * sale, the message of the change and the audit of the act are stored with it. `decide` throws to refuse: nothing is written then.
 *
 * @param request of an act that can be repeated: the second time it finds the event as it is, and decides nothing
 * @throws BoxofficeError EVENT_NOT_FOUND, REQUEST_ID_REUSED
 */
export function changeEvent(
  { database, newId }: ChangeOptions,
  eventId: string,
  decide: (event: Event, now: Date) => Decision,
  act: Act,
  request?: Request,
): Promise<Changed> {
  return database.transaction(async (tx) => {
    const repeated = await rememberRequest(tx, request, eventId);
    const { stored, now } = await lockEvent(tx, eventId);
    const change = repeated === undefined ? decide(stored.event, now) : undefined;
    if (change === undefined) return { ...stored, commandVersion: undefined };
    const deed = describeChange(stored.event, change);
    await Promise.all([
      saveChange(tx, newId, now, change),
      appendAudit(tx, "catalog", newId, now, { ...act, ...deed }),
    ]);
    const hasCommand = change.command !== null;
    return {
      event: change.event,
      changePending: stored.changePending || hasCommand,
      commandVersion: hasCommand ? change.event.version : undefined,
    };
  });
}

/**
 * Keeps everybody else from changing an event. It is read by a statement of its own, because the one that waits
 * for the lock sees ticket types and commands as they were before the wait.
 *
 * @throws BoxofficeError EVENT_NOT_FOUND
 */
export async function lockEvent(
  tx: Transaction,
  eventId: string,
): Promise<{ stored: StoredEvent; now: Date }> {
  const [, read] = await Promise.all([
    tx.query({
      name: "lock-event",
      text: "select from catalog.events where event_id = $1 for update",
      values: [eventId],
    }),
    readEvent(tx, eventId),
  ]);
  return read;
}

async function readEvent(tx: Transaction, eventId: string): Promise<{ stored: StoredEvent; now: Date }> {
  const [row] = await tx.query<EventRow & { now: Date }>({
    name: "read-event",
    text: `select ${EVENT_COLUMNS}, catalog.clock() as now from catalog.events e where e.event_id = $1`,
    values: [eventId],
  });
  if (row === undefined) throw eventNotFound();
  return { stored: toStoredEvent(row), now: row.now };
}

async function readClock(tx: Transaction): Promise<Date> {
  const [row] = await tx.query<{ now: Date }>({ name: "clock", text: "select catalog.clock() as now" });
  if (row === undefined) throw new Error("a select without from has one row");
  return row.now;
}

/**
 * Remembers a request, if its transaction commits. Another one with the same id waits here until then.
 *
 * @returns the event of the same request, where it was accepted before
 * @throws BoxofficeError REQUEST_ID_REUSED
 */
async function rememberRequest(
  tx: Transaction,
  request: Request | undefined,
  eventId: string,
): Promise<string | undefined> {
  if (request === undefined) return undefined;
  const inserted = await tx.query({
    name: "remember-request",
    text: `
      insert into catalog.requests (request_id, request_hash, event_id) values ($1, $2, $3)
      on conflict (request_id) do nothing
      returning request_id`,
    values: [request.requestId, request.contentHash, eventId],
  });
  if (inserted.length > 0) return undefined;
  // A statement of its own: the one that waited does not see what it waited for.
  const [known] = await tx.query<{ request_hash: Buffer; event_id: string }>({
    name: "read-request",
    text: "select request_hash, event_id from catalog.requests where request_id = $1",
    values: [request.requestId],
  });
  if (known?.request_hash.equals(request.contentHash)) return known.event_id;
  throw new BoxofficeError("REQUEST_ID_REUSED", "This request_id was used for another request.");
}
