import { setTimeout as delay } from "node:timers/promises";
import { Bus } from "@boxoffice/platform/bus.ts";
import { Database } from "@boxoffice/platform/database.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { appendOutbox, Relay } from "@boxoffice/platform/outbox.ts";
import { systemRuntime } from "@boxoffice/platform/runtime.ts";
import {
  type Change,
  ChangeBatchSchema,
  ChangeSchema,
} from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create, fromBinary } from "@bufbuild/protobuf";
import { newId } from "../../faults/sale.ts";
import { until } from "../../faults/until.ts";
import type { Property } from "../property.ts";
import { worldOf } from "./world.ts";

const WRITERS = 64;
const RELAYS = 3;
const RUN_MS = { full: 60_000, short: 1_500 };
const ARRIVES_WITHIN_MS = 60_000;

const log = createLogger("proof", "silent");

/** Writers whose transactions commit in another order than that of their ids, or not at all. */
export const commits: Property = {
  name: "commits",
  says: "of 64 writers with random commit delays every commit is published, by three relays at once, and no rollback",
  async prove({ office, random, size }) {
    const { nats } = await worldOf(office);
    const schema = "proof_outbox";
    await makeOutbox(office.database, schema);
    const database = new Database({
      url: office.ownerUrl,
      name: "writers",
      log,
      maxConnections: WRITERS + 2 * RELAYS,
    });
    const buses = Array.from({ length: RELAYS + 1 }, () => {
      return new Bus({ url: nats.url, name: "proof", log, prefix: "proof" });
    });
    const over = new AbortController();
    const relays = buses.slice(1).map((bus) => {
      return new Relay({ service: schema, database, bus, runtime: systemRuntime, log });
    });
    const relaying = relays.map((relay) => relay.run(over.signal));
    const received = new Map<string, number>();
    const listening = buses[0]?.consume(
      {
        durable: "proof",
        maxBatch: 500,
        async handle(messages) {
          for (const name of messages.flatMap(({ payload }) => namesIn(payload)))
            received.set(name, (received.get(name) ?? 0) + 1);
        },
      },
      over.signal,
    );
    const committed = new Set<string>();
    const rolledBack = new Set<string>();
    const closing = AbortSignal.timeout(RUN_MS[size]);
    await Promise.all(
      Array.from({ length: WRITERS }, async (_, index) => {
        const chance = random.fork(`writer ${index}`);
        while (!closing.aborted) {
          const name = newId();
          const fails = chance.chance(0.1);
          const waitMs = chance.chance(0.05) ? chance.int(200, 1_000) : chance.int(0, 40);
          await database
            .transaction(async (tx) => {
              const eventId = newId();
              appendOutbox(tx, schema, newId, new Date(), [
                { eventId, changes: [changeNamed(eventId, name)] },
              ]);
              await tx.query({ text: "select 1" });
              await delay(waitMs);
              if (fails) throw new Error("rolled back");
            })
            .then(
              () => committed.add(name),
              () => rolledBack.add(name),
            );
          chance.pick(relays).wake();
        }
      }),
    );
    const missing = () => [...committed].filter((name) => !received.has(name));
    await until("all arrived", ARRIVES_WITHIN_MS, () => missing().length === 0).catch(() => {});
    const violations = [
      ...missing().map((name) => `${name} was committed, and never arrived`),
      ...[...received.keys()]
        .filter((name) => rolledBack.has(name))
        .map((name) => `${name} was rolled back, and arrived`),
    ];
    over.abort();
    await Promise.all([...relaying, listening]);
    await Promise.all(buses.map((bus) => bus.close()));
    await database.close();
    await office.database.query({ text: `drop schema ${schema} cascade` });
    const repeated = [...received.values()].filter((times) => times > 1).length;
    return {
      counts: { writers: WRITERS, committed: committed.size, "rolled back": rolledBack.size, repeated },
      violations,
    };
  },
};

async function makeOutbox(database: Database, schema: string): Promise<void> {
  await database.query({ text: `create schema ${schema}` });
  for (const table of ["outbox", "outbox_stream"]) {
    await database.query({
      text: `create table ${schema}.${table} (like reservation.${table} including all)`,
    });
  }
  await database.query({ text: `insert into ${schema}.outbox_stream default values` });
}

const changeNamed = (eventId: string, name: string): Change =>
  create(ChangeSchema, { change: { case: "event", value: { eventId, name, version: 1n } } });

const namesIn = (payload: Uint8Array): string[] =>
  fromBinary(ChangeBatchSchema, payload).changes.map(({ change }) =>
    change.case === "event" ? change.value.name : "",
  );
