import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureKeys, JWKS_FILE } from "@boxoffice/platform/auth/keys.ts";
import { mintToken } from "@boxoffice/platform/auth/tokens.ts";
import { createVerifier } from "@boxoffice/platform/auth/verifier.ts";
import { Database } from "@boxoffice/platform/database.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { HealthState } from "@boxoffice/platform/rpc/health.ts";
import { createRpcServer } from "@boxoffice/platform/rpc/server.ts";
import { createGrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import { systemRuntime } from "@boxoffice/platform/runtime.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import {
  SalesService,
  type SaleTicketTypeSchema,
} from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { createTestDatabase } from "../../../test/support/database.ts";
import { createChangeLane, createReserveLanes } from "../lanes.ts";
import { availabilityWatches, reservationService } from "../rpc/reservation-service.ts";
import { salesService } from "../rpc/sales-service.ts";
import { runSweeper } from "../sweeper.ts";

export const log = createLogger("test", "silent");
export const { newId } = systemRuntime;

const DAY_MS = 24 * 60 * 60 * 1_000;

export type Replica = {
  database: Database;
  buyer: Client<typeof ReservationService>;
  operator: Client<typeof ReservationService>;
  catalog: Client<typeof SalesService>;
  payment: Client<typeof SalesService>;
  gateway: Client<typeof SalesService>;
  stats: Client<typeof SalesService>;
  close(): Promise<void>;
};

export type ReplicaOptions = {
  holdMs?: number;
  payMarginMs?: number;
  withSweeper?: boolean;
  maxQueue?: number;
};

/** A database, and as many replicas of the service on it as a test starts, each with its own port. */
export async function createSale() {
  const testDatabase = await createTestDatabase("reservation");
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-reservation-"));
  await ensureKeys(folder, ["operator", "catalog", "payment", "gateway", "reservation", "stats"]);
  const replicas: Replica[] = [];
  return {
    url: testDatabase.urlFor("reservation"),
    folder,
    async start(options: ReplicaOptions = {}): Promise<Replica> {
      const replica = await startReplica(testDatabase.urlFor("reservation"), folder, options);
      replicas.push(replica);
      return replica;
    },
    async end() {
      for (const replica of replicas) await replica.close();
      await testDatabase.drop();
      rmSync(folder, { recursive: true });
    },
  };
}

async function startReplica(url: string, folder: string, options: ReplicaOptions): Promise<Replica> {
  const { holdMs = 900_000, payMarginMs = 5_000, withSweeper = false, maxQueue = 10_000 } = options;
  const database = new Database({ url, name: "reservation test", log });
  const watches = availabilityWatches({ database, runtime: systemRuntime, log });
  const onCommit = (eventIds: Iterable<string> = []) => {
    for (const eventId of eventIds) watches.changed(eventId);
  };
  const laneOptions = { database, newId, onCommit, lanes: 4, maxBatch: 500, maxQueue };
  const reserving = createReserveLanes({ ...laneOptions, holdMs });
  const changing = createChangeLane(laneOptions);
  const server = createRpcServer({
    name: "reservation",
    services: [
      reservationService({ database, reserving, changing, newId, watches, onCommit }),
      salesService({ database, reserving, changing, newId, onCommit, payMarginMs }),
    ],
    verifier: createVerifier({ jwksFile: join(folder, JWKS_FILE), audience: "reservation", log }),
    health: new HealthState(),
    log,
  });
  const address = `127.0.0.1:${await server.listen("127.0.0.1", 0)}`;
  const transportAs = async (role?: string) => {
    const token = role && (await tokenOf(folder, role));
    return createGrpcTransport(address, { defaultTimeoutMs: 50_000, ...(token && { bearer: () => token }) });
  };
  const transports = {
    buyer: await transportAs(),
    operator: await transportAs("operator"),
    catalog: await transportAs("catalog"),
    payment: await transportAs("payment"),
    gateway: await transportAs("gateway"),
    stats: await transportAs("stats"),
  };
  const stop = new AbortController();
  const sweeping = withSweeper
    ? runSweeper({ database, newId, runtime: systemRuntime, log, onCommit }, stop.signal)
    : Promise.resolve();
  let closed: Promise<void> | undefined;
  const close = async () => {
    stop.abort();
    await sweeping;
    for (const transport of Object.values(transports)) transport.close();
    await server.close(1_000);
    await database.close();
  };
  return {
    database,
    buyer: createRpcClient(ReservationService, transports.buyer),
    operator: createRpcClient(ReservationService, transports.operator),
    catalog: createRpcClient(SalesService, transports.catalog),
    payment: createRpcClient(SalesService, transports.payment),
    gateway: createRpcClient(SalesService, transports.gateway),
    stats: createRpcClient(SalesService, transports.stats),
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

export function tokenOf(folder: string, role: string): Promise<string> {
  return mintToken({
    privateKeyFile: join(folder, `${role}.key`),
    role,
    subject: role,
    ttlSeconds: 600,
    ...(role !== "operator" && { audience: "reservation" }),
  });
}

type Overrides = Pick<
  MessageInitShape<typeof SaleTicketTypeSchema>,
  "maxPerReservation" | "salesStart" | "salesEnd"
>;

export type OpenEvent = { eventId: string; types: string[] };

/** Puts an event on sale with one ticket type per quantity: 10 EUR, at most 1,000 of it per reservation. */
export async function openEvent(
  { catalog }: Pick<Replica, "catalog">,
  quantities: number[],
  overrides: Overrides = {},
  startsInMs = DAY_MS,
): Promise<OpenEvent> {
  const eventId = newId();
  const types = quantities.map(() => newId());
  await catalog.openSales({
    eventId,
    version: 1n,
    startsAt: timestampFromMs(Date.now() + startsInMs),
    ticketTypes: types.map((ticketTypeId, position) => ({
      ticketTypeId,
      position,
      name: `Type ${position}`,
      category: position === 0 ? "regular" : "vip",
      price: { currencyCode: "EUR", minorUnits: 10_00n },
      quantity: quantities[position] ?? 0,
      maxPerReservation: 1_000,
      ...overrides,
    })),
  });
  return { eventId, types };
}

export const items = (types: string[], ...quantities: number[]) =>
  quantities.map((quantity, index) => ({ ticketTypeId: types[index] ?? "", quantity }));
