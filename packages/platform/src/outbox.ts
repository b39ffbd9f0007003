import { type Change, ChangeBatchSchema } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Bus } from "./bus.ts";
import type { Database, Transaction } from "./database.ts";
import type { Logger } from "./log.ts";
import type { Runtime } from "./runtime.ts";

/** What changed of one event, to be published once the transaction that changed it has committed. */
export type EventChanges = { eventId: string; changes: readonly (Change | EncodedChange)[] };

/** A change as {@link encodeChange} encodes it. */
export type EncodedChange = Uint8Array;

/** A message holds at most this many changes, and at most so many bytes of them. */
const MAX_CHANGES = 500;
const MAX_BYTES = 256 * 1024;

/** How many messages a relay takes at a time. */
const RELAY_BATCH = 200;

/** A relay looks this often for what nobody woke it for: another replica's messages after its crash. */
const POLL_MS = 500;
const RETRY_MS = 1_000;

const PRUNE_EVERY_MS = 60_000;
const PRUNE_BATCH = 5_000;

/**
 * Writes changes to the outbox, in the transaction that makes them: they are published if and only if it
 * commits. The table is `<schema>.outbox`, as every service's first migration makes it.
 *
 * @param at when the changes were made, by the database's clock
 */
export function appendOutbox(
  tx: Transaction,
  schema: string,
  newId: () => string,
  at: Date,
  events: readonly EventChanges[],
): void {
  const changeTime = timestampFromDate(at);
  const rows = events.flatMap(({ eventId, changes }) =>
    split(changes).map((part) => {
      const id = newId();
      const envelope = create(ChangeBatchSchema, { batchId: id, eventId, changeTime });
      return { id, eventId, payload: Buffer.concat([toBinary(ChangeBatchSchema, envelope), ...part]) };
    }),
  );
  if (rows.length === 0) return;
  tx.write({
    name: "append-outbox",
    text: `
      insert into ${schema}.outbox (outbox_id, event_id, payload)
      select * from unnest($1::uuid[], $2::uuid[], $3::bytea[])`,
    values: [
      rows.map(({ id }) => id),
      rows.map(({ eventId }) => eventId),
      rows.map(({ payload }) => payload),
    ],
  });
}

export type RelayOptions = {
  /** The service's name, which is its schema's too. */
  service: string;
  database: Database;
  bus: Pick<Bus, "publish">;
  runtime: Runtime;
  log: Logger;
};

/**
 * Publishes what stands in the outbox, on every replica at once. Unpublished rows are taken with SKIP LOCKED
 * and no cursor, because rows commit in another order than that of their ids. A crash between the publishing and
 * the marking publishes again, with the same message id.
 */
export class Relay {
  readonly #options: RelayOptions;
  #wake = Promise.withResolvers<void>();

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Call it after a commit that wrote to the outbox: saves the wait for the next look. */
  wake(): void {
    this.#wake.resolve();
  }

  /** Publishes and prunes until `signal` aborts; then what is under way is finished. */
  async run(signal: AbortSignal): Promise<void> {
    const { runtime, log, service } = this.#options;
    let pruneAtMs = runtime.nowMs() + PRUNE_EVERY_MS;
    let isFailing = false;
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      try {
        const published = await this.relayOnce();
        if (isFailing) log.info("the outbox is published again");
        isFailing = false;
        if (runtime.nowMs() >= pruneAtMs) {
          await this.#prune();
          pruneAtMs = runtime.nowMs() + PRUNE_EVERY_MS;
        }
        if (published === RELAY_BATCH) continue;
        await this.#rest(POLL_MS, signal);
      } catch (error) {
        if (!isFailing) log.warn({ error, service }, "cannot publish the outbox; it is kept and tried again");
        isFailing = true;
        await runtime.sleep(RETRY_MS, signal);
      }
    }
  }

  /** Publishes at most one batch, oldest first. @returns how many messages it published */
  relayOnce(): Promise<number> {
    const { database, bus, service } = this.#options;
    return database.transaction(async (tx) => {
      const rows = await tx.query<{ outbox_id: string; event_id: string; payload: Buffer }>({
        name: "take-outbox",
        text: `
          select outbox_id, event_id, payload from ${service}.outbox
          where published_at is null
          order by outbox_id
          limit $1
          for update skip locked`,
        values: [RELAY_BATCH],
      });
      if (rows.length === 0) return 0;
      await bus.publish(
        rows.map(({ outbox_id, event_id, payload }) => ({
          subject: `${service}.v1.${event_id}`,
          id: outbox_id,
          payload,
        })),
      );
      await tx.query({
        name: "mark-outbox",
        text: `update ${service}.outbox set published_at = clock_timestamp() where outbox_id = any($1::uuid[])`,
        values: [rows.map(({ outbox_id }) => outbox_id)],
      });
      return rows.length;
    });
  }

  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    const rested = new AbortController();
    const woken = this.#wake.promise.then(() => rested.abort());
    await Promise.race([woken, this.#options.runtime.sleep(ms, AbortSignal.any([signal, rested.signal]))]);
  }

  /** What was published is kept for a day, for streams that have to be filled again. */
  async #prune(): Promise<void> {
    const { database, service } = this.#options;
    await database.query({
      text: `
        delete from ${service}.outbox where outbox_id in (
          select outbox_id from ${service}.outbox
          where published_at < clock_timestamp() - interval '24 hours'
          limit $1
          for update skip locked)`,
      values: [PRUNE_BATCH],
    });
  }
}

/**
 * Encodes a change as a batch that holds it alone: such batches after each other are one that holds them all, because
 * that is how protobuf merges.
 */
export function encodeChange(change: Change): EncodedChange {
  return toBinary(ChangeBatchSchema, create(ChangeBatchSchema, { changes: [change] }));
}

function split(changes: EventChanges["changes"]): EncodedChange[][] {
  const parts: EncodedChange[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const change of changes) {
    const encoded = change instanceof Uint8Array ? change : encodeChange(change);
    const part = parts.at(-1);
    if (part === undefined || part.length === MAX_CHANGES || bytes + encoded.length > MAX_BYTES) {
      parts.push([encoded]);
      bytes = encoded.length;
    } else {
      part.push(encoded);
      bytes += encoded.length;
    }
  }
  return parts;
}
