import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureKeys, JWKS_FILE } from "@boxoffice/platform/auth/keys.ts";
import { mintToken } from "@boxoffice/platform/auth/tokens.ts";
import { createVerifier } from "@boxoffice/platform/auth/verifier.ts";
import type { ConsumeOptions } from "@boxoffice/platform/bus.ts";
import { Database } from "@boxoffice/platform/database.ts";
import { createLogger, type Logger } from "@boxoffice/platform/log.ts";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { HealthState } from "@boxoffice/platform/rpc/health.ts";
import { createRpcServer } from "@boxoffice/platform/rpc/server.ts";
import { createGrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import { systemRuntime } from "@boxoffice/platform/runtime.ts";
import { type ChangeBatch, ChangeBatchSchema } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { toBinary } from "@bufbuild/protobuf";
import { createTestDatabase } from "../../../test/support/database.ts";
import { runConsumer } from "../consumer.ts";
import { statsService } from "../rpc/stats-service.ts";
import { Watches } from "../watches.ts";

export const log = createLogger("test", "silent");

export type Stats = Awaited<ReturnType<typeof createStats>>;

/** A database of the test file's own, and the service on it, asked over gRPC as whoever may or may not ask. */
export async function createStats() {
  const testDatabase = await createTestDatabase("stats");
  const url = testDatabase.urlFor("stats");
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-stats-"));
  await ensureKeys(folder, ["operator", "stats", "gateway"]);
  const database = openDatabase(url);
  const watches = new Watches({ database, runtime: systemRuntime, log });
  const stop = new AbortController();
  const watching = watches.run(stop.signal);
  const server = createRpcServer({
    name: "stats",
    services: [statsService({ database, watches, newId: systemRuntime.newId })],
    verifier: createVerifier({ jwksFile: join(folder, JWKS_FILE), audience: "stats", log }),
    health: new HealthState(),
    log,
  });
  const address = `127.0.0.1:${await server.listen("127.0.0.1", 0)}`;
  const tokens = { operator: await tokenOf(folder, "operator"), gateway: await tokenOf(folder, "gateway") };
  const transports = {
    anyone: createGrpcTransport(address, { defaultTimeoutMs: 10_000 }),
    operator: createGrpcTransport(address, { defaultTimeoutMs: 10_000, bearer: () => tokens.operator }),
    gateway: createGrpcTransport(address, { defaultTimeoutMs: 10_000, bearer: () => tokens.gateway }),
  };
  return {
    url,
    folder,
    database,
    anyone: createRpcClient(StatsService, transports.anyone),
    operator: createRpcClient(StatsService, transports.operator),
    gateway: createRpcClient(StatsService, transports.gateway),
    /** Hands messages to a consumer, as one delivery. */
    count: (...batches: ChangeBatch[]) => deliverTo(database)(batches.map(payloadOf)),
    async clear() {
      for (const table of TABLES) await database.query({ text: `delete from stats.${table}` });
      await database.query({ text: CLEAR_PROGRESS });
    },
    async end() {
      for (const transport of Object.values(transports)) transport.close();
      await server.close(1_000);
      stop.abort();
      await watching;
      await database.close();
      await testDatabase.drop();
      rmSync(folder, { recursive: true });
    },
  };
}

const CLEAR_PROGRESS = `
  update stats.progress set as_of = null, generation = 0, building = null, build_id = null, clear_after = null,
    stream = null, stream_seq = 0`;

const TABLES = [
  "events",
  "ticket_types",
  "reservations",
  "payments",
  "ticket_type_counts",
  "event_counts",
  "payment_failures",
  "timeline",
  "pay_times",
  "tasks",
];

export const openDatabase = (url: string) =>
  new Database({ url, name: "stats test", log, readsWholeTables: true });

export const payloadOf = (batch: ChangeBatch): Uint8Array => toBinary(ChangeBatchSchema, batch);

/** A consumer on a bus that only ever delivers what the test gives it. */
export function deliverTo(database: Database, consumerLog: Logger = log) {
  let handle: ConsumeOptions["handle"] | undefined;
  const bus = {
    async consume(options: ConsumeOptions) {
      ({ handle } = options);
    },
  };
  void runConsumer({ database, bus, runtime: systemRuntime, log: consumerLog }, new AbortController().signal);
  return async (payloads: readonly Uint8Array[]): Promise<void> => {
    await handle?.(payloads.map((payload) => ({ subject: "test.subject", payload, seq: 0 })));
  };
}

export function tokenOf(folder: string, role: string): Promise<string> {
  const audience = role === "operator" ? {} : { audience: "stats" };
  const privateKeyFile = join(folder, `${role}.key`);
  return mintToken({ privateKeyFile, role, subject: role, ttlSeconds: 600, ...audience });
}
