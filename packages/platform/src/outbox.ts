import { type Change, ChangeBatchSchema } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Gauge, register } from "prom-client";
import type { Bus } from "./bus.ts";
import type { Database, Transaction } from "./database.ts";
import type { Logger } from "./log.ts";
import { type Runtime, within } from "./runtime.ts";
import { activeTraceparent, isTracing, tracedTogether } from "./tracing.ts";

/** What changed of one event, to be published once the transaction that changed it has committed. */
export type EventChanges = { eventId: string; changes: readonly (Change | EncodedChange)[] };

/**
 * A change as a batch that holds it alone: such batches after each other are one that holds them all, because that is
 * how protobuf merges.
 */
export type EncodedChange = Uint8Array;

/** A message holds at most this many changes, and at most so many bytes of them. */
const MAX_CHANGES = 500;
const MAX_BYTES = 256 * 1024;

/** How many messages a relay takes at a time. */
const RELAY_BATCH = 200;

/** What a busy service writes in so many milliseconds goes out together, for the price of a single message. */
const GATHER_MS = 25;

/** A relay looks this often for what nobody woke it for: another replica's messages after its crash. */
const POLL_MS = 500;
const RETRY_MS = 1_000;

/** Longer than publishing takes until it is given up: then another relay may publish what this one took. */
const CLAIM_SECONDS = 10;

/** After a stream was lost, what was published before goes out again so slowly that what is new is not late for it. */
const AGAIN_BATCH = 50;
const AGAIN_EVERY_MS = 1_000;

/**
 * A claim or a mark that a crash of PostgreSQL takes back costs a second publishing, under the same message id: they
 * need not wait for the disk. Their transaction is their only statement.
 */
const NOT_FLUSHED = "not_flushed as (select set_config('synchronous_commit', 'off', true))";

const PRUNE_EVERY_MS = 60_000;
const PRUNE_BATCH = 5_000;
const PRUNE_ROUNDS = 50;

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
  const traceparent = activeTraceparent() ?? "";
  const rows = events.flatMap(({ eventId, changes }) =>
    split(changes).map((part) => {
      const id = newId();
      const envelope = create(ChangeBatchSchema, { batchId: id, eventId, changeTime, traceparent });
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
  bus: Pick<Bus, "publish" | "stream">;
  runtime: Runtime;
  log: Logger;
};

/**
 * Publishes what stands in the outbox, on every replica at once. Unpublished rows are taken with SKIP LOCKED
 * and no cursor, because rows commit in another order than that of their ids. A relay claims rows for some seconds,
 * and publishes them without a transaction: whatever NATS does, no lock and no connection waits for it. A crash
 * between the publishing and the marking publishes again, with the same message id.
 */
export class Relay {
  readonly #options: RelayOptions;
  #wake = Promise.withResolvers<void>();
  /** When the stream was made that the outbox was last seen to be published to. */
  #stream: string | undefined;
  #againAtMs = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
    measureOutbox(options);
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
        if (runtime.nowMs() >= this.#againAtMs) {
          await this.relayAgain();
          this.#againAtMs = runtime.nowMs() + AGAIN_EVERY_MS;
        }
        if (runtime.nowMs() >= pruneAtMs) {
          await this.#prune();
          pruneAtMs = runtime.nowMs() + PRUNE_EVERY_MS;
        }
        if (published === RELAY_BATCH) continue;
        await within(runtime, POLL_MS, this.#wake.promise, signal);
        await runtime.sleep(GATHER_MS, signal);
      } catch (error) {
        if (!isFailing) log.warn({ error, service }, "cannot publish the outbox; it is kept and tried again");
        isFailing = true;
        await runtime.sleep(RETRY_MS, signal);
      }
    }
  }

  /** Publishes at most one batch, oldest first. @returns how many messages it published */
  async relayOnce(): Promise<number> {
    await this.#followStream();
    return this.#publish("published_at is null", "outbox_id", RELAY_BATCH);
  }

  /** The same with what was published before the stream was lost. */
  relayAgain(): Promise<number> {
    const { service } = this.#options;
    const isLost = `published_at < (select since from ${service}.outbox_stream)`;
    return this.#publish(isLost, "published_at", AGAIN_BATCH);
  }

  async #publish(which: string, order: string, limit: number): Promise<number> {
    const { database, bus, service } = this.#options;
    const rows = await database.query<{ outbox_id: string; event_id: string; payload: Buffer }>({
      name: `claim-outbox-by-${order}`,
      text: `
        with ${NOT_FLUSHED}
        update ${service}.outbox o set claimed_until = clock_timestamp() + interval '${CLAIM_SECONDS} seconds'
        from not_flushed, (
          select outbox_id from ${service}.outbox
          where ${which} and (claimed_until is null or claimed_until < clock_timestamp())
          order by ${order}
          limit $1
          for update skip locked
        ) taken
        where o.outbox_id = taken.outbox_id
        returning o.outbox_id, o.event_id, o.payload`,
      values: [limit],
    });
    if (rows.length === 0) return 0;
    rows.sort((one, other) => (one.outbox_id < other.outbox_id ? -1 : 1));
    const ids = rows.map(({ outbox_id }) => outbox_id);
    try {
      const messages = rows.map(({ outbox_id, event_id, payload }) => ({
        subject: `${service}.v1.${event_id}`,
        id: outbox_id,
        payload,
      }));
      const makers = isTracing() ? messages.map(({ payload }) => traceparentOf(payload)) : [];
      await tracedTogether("publish", makers, () => bus.publish(messages), "PRODUCER");
    } catch (error) {
      await this.#giveBack(ids);
      throw error;
    }
    // As of the claim: a stream that was lost since then was lost with these messages.
    await database.query({
      name: "mark-outbox",
      text: `
        with ${NOT_FLUSHED}
        update ${service}.outbox
        set published_at = coalesce(claimed_until - interval '${CLAIM_SECONDS} seconds', clock_timestamp()),
            claimed_until = null
        from not_flushed
        where outbox_id = any($1::uuid[])`,
      values: [ids],
    });
    return rows.length;
  }

  /** What was not acknowledged may be taken at once again. */
  async #giveBack(ids: string[]): Promise<void> {
    const { database, service } = this.#options;
    await database.query({
      name: "give-back-outbox",
      text: `update ${service}.outbox set claimed_until = null where outbox_id = any($1::uuid[])`,
      values: [ids],
    });
  }

  /** Where the stream is another one than before, all that is kept is to be published again. */
  async #followStream(): Promise<void> {
    const { database, bus, service, log } = this.#options;
    const { created } = await bus.stream();
    if (created === this.#stream) return;
    await database.transaction(async (tx) => {
      const [known] = await tx.query<{ stream: string | null }>({
        text: `select stream from ${service}.outbox_stream for update`,
      });
      if (known?.stream === created) return;
      const isNew = typeof known?.stream === "string";
      if (isNew) log.warn({ created }, "the stream is a new one: what the outbox keeps is published again");
      tx.write({
        text: `
          update ${service}.outbox_stream
          set stream = $1, since = case when $2 then clock_timestamp() else since end`,
        values: [created, isNew],
      });
    });
    this.#stream = created;
  }

  /** What was published is kept for a day, for streams that have to be filled again. */
  async #prune(): Promise<void> {
    const { database, service } = this.#options;
    for (let round = 0; round < PRUNE_ROUNDS; round++) {
      const pruned = await database.query({
        text: `
          delete from ${service}.outbox where outbox_id in (
            select outbox_id from ${service}.outbox
            where published_at < clock_timestamp() - interval '24 hours'
            limit $1
            for update skip locked)
          returning 1`,
        values: [PRUNE_BATCH],
      });
      if (pruned.length < PRUNE_BATCH) return;
    }
  }
}

/** How far the outbox is behind, counted whenever the metrics are read: the same on every replica. */
function measureOutbox({ service, database }: RelayOptions): void {
  const name = `boxoffice_${service}_outbox_lag_seconds`;
  register.removeSingleMetric(name); // several relays of one service run in one process only where it is tested
  const lag = new Gauge({
    name,
    help: "How long the oldest change that was not published yet has waited",
    async collect() {
      // Without an answer there is no figure: a zero would be a lie.
      const rows = await database
        .query<{ seconds: number }>({
          text: `
            select greatest(extract(epoch from clock_timestamp() - created_at), 0)::float8 as seconds
            from ${service}.outbox
            where published_at is null
            order by outbox_id
            limit 1`,
        })
        .catch(() => undefined);
      lag.reset();
      if (rows !== undefined) lag.set(rows[0]?.seconds ?? 0);
    },
  });
}

const encodeChange = (change: Change): EncodedChange =>
  toBinary(ChangeBatchSchema, create(ChangeBatchSchema, { changes: [change] }));

/** Of what made the changes of a message, where that was traced. */
const traceparentOf = (payload: Uint8Array): string => fromBinary(ChangeBatchSchema, payload).traceparent;

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
