import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureKeys, JWKS_FILE } from "@boxoffice/platform/auth/keys.ts";
import { createTokenIssuer, mintToken, serviceBearer } from "@boxoffice/platform/auth/tokens.ts";
import { createVerifier } from "@boxoffice/platform/auth/verifier.ts";
import { Database } from "@boxoffice/platform/database.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { HealthState } from "@boxoffice/platform/rpc/health.ts";
import { createRpcServer } from "@boxoffice/platform/rpc/server.ts";
import { createGrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import { systemRuntime } from "@boxoffice/platform/runtime.ts";
import {
  CatalogService,
  type Event,
  type EventSchema,
  type TicketTypeSchema,
} from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { ChangeBatchSchema, type EventChange } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { SalesService } from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import { fromBinary, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { createTestDatabase } from "../../../test/support/database.ts";
import { Completer, type CompleterOptions } from "../completer.ts";
import { catalogService } from "../rpc/catalog-service.ts";
import { tellSaleBy } from "../sales.ts";
import { Sale } from "./sale.ts";

export const { newId } = systemRuntime;
const log = createLogger("test", "silent");

const DAY_MS = 24 * 60 * 60 * 1_000;

export type Replica = {
  database: Database;
  completer: Completer;
  anyone: Client<typeof CatalogService>;
  operator: Client<typeof CatalogService>;
  close(): Promise<void>;
};

export type ReplicaOptions = Pick<CompleterOptions, "leaseMs" | "waitMs"> & {
  /** Whether commands are delivered in the background too. */
  withCompleter?: boolean;
  saleTimeoutMs?: number;
};

/** A database, a sale, and as many replicas of the service as a test starts, each with its own port. */
export async function createCatalog() {
  const testDatabase = await createTestDatabase("catalog");
  const url = testDatabase.urlFor("catalog");
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-catalog-"));
  await ensureKeys(folder, ["operator", "catalog", "reservation"]);
  const sale = new Sale(folder);
  await sale.start();
  const replicas: Replica[] = [];
  return {
    url,
    folder,
    sale,
    async start(options: ReplicaOptions = {}): Promise<Replica> {
      const replica = await startReplica(url, folder, sale, options);
      replicas.push(replica);
      return replica;
    },
    async end() {
      for (const replica of replicas) await replica.close();
      await sale.stop();
      await testDatabase.drop();
      rmSync(folder, { recursive: true });
    },
  };
}

async function startReplica(
  url: string,
  folder: string,
  sale: Sale,
  options: ReplicaOptions,
): Promise<Replica> {
  const { withCompleter = false, saleTimeoutMs = 5_000, ...times } = options;
  const database = new Database({ url, name: "catalog test", log });
  const issuer = createTokenIssuer({ role: "catalog", keyFile: join(folder, "catalog.key") });
  const toSale = createGrpcTransport(sale.address, {
    defaultTimeoutMs: 5_000,
    bearer: serviceBearer(issuer, "reservation"),
  });
  const tellSale = tellSaleBy(createRpcClient(SalesService, toSale), saleTimeoutMs);
  const onCommit = () => {};
  const completer = new Completer({ database, tellSale, runtime: systemRuntime, log, onCommit, ...times });
  const server = createRpcServer({
    name: "catalog",
    services: [catalogService({ database, completer, newId, onCommit })],
    verifier: createVerifier({ jwksFile: join(folder, JWKS_FILE), audience: "catalog", log }),
    health: new HealthState(),
    log,
  });
  const address = `127.0.0.1:${await server.listen("127.0.0.1", 0)}`;
  const token = await mintToken({
    privateKeyFile: join(folder, "operator.key"),
    role: "operator",
    subject: "operator",
    ttlSeconds: 600,
  });
  const asAnyone = createGrpcTransport(address, { defaultTimeoutMs: 20_000 });
  const asOperator = createGrpcTransport(address, { defaultTimeoutMs: 20_000, bearer: () => token });
  const stop = new AbortController();
  const completing = withCompleter ? completer.run(stop.signal) : Promise.resolve();
  let closed: Promise<void> | undefined;
  const close = async () => {
    stop.abort();
    for (const transport of [asAnyone, asOperator]) transport.close();
    await server.close(1_000);
    await completing;
    await completer.idle();
    toSale.close();
    await database.close();
  };
  return {
    database,
    completer,
    anyone: createRpcClient(CatalogService, asAnyone),
    operator: createRpcClient(CatalogService, asOperator),
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

export type EventInit = Exclude<MessageInitShape<typeof EventSchema>, Message>;
export type TicketTypeInit = Exclude<MessageInitShape<typeof TicketTypeSchema>, Message>;

export const eur = (cents: number) => ({ currencyCode: "EUR", minorUnits: BigInt(cents) });

/** From the start of the test file: the same days are the same time. */
export const inDays = (days: number) => timestampFromMs(START_MS + days * DAY_MS);

const START_MS = Math.floor(Date.now() / 1_000) * 1_000;

export const ticketType = (name: string, overrides: TicketTypeInit = {}): TicketTypeInit => ({
  name,
  price: eur(10_00),
  quantity: 100,
  ...overrides,
});

export const eventInit = (overrides: EventInit = {}): EventInit => ({
  name: "An evening",
  venue: "The hall",
  startsAt: inDays(30),
  timeZone: "Europe/Berlin",
  ticketTypes: [ticketType("Regular"), ticketType("VIP")],
  ...overrides,
});

export async function createEvent(
  { operator }: Pick<Replica, "operator">,
  init: EventInit = {},
): Promise<Event> {
  return only((await operator.createEvent({ event: eventInit(init) })).event);
}

export async function createPublished(
  replica: Pick<Replica, "operator">,
  init: EventInit = {},
): Promise<Event> {
  const { eventId } = await createEvent(replica, init);
  return only((await replica.operator.publishEvent({ eventId })).event);
}

export async function readEvent({ operator }: Pick<Replica, "operator">, eventId: string): Promise<Event> {
  return only((await operator.getEvent({ eventId })).event);
}

/** What was published about an event, in the order it was written. */
export async function messagesOf(
  { database }: Pick<Replica, "database">,
  eventId: string,
): Promise<EventChange[]> {
  const rows = await database.query<{ payload: Buffer }>({
    text: "select payload from catalog.outbox where event_id = $1 order by created_at, outbox_id",
    values: [eventId],
  });
  return rows.flatMap(({ payload }) =>
    fromBinary(ChangeBatchSchema, payload).changes.flatMap(({ change }) =>
      change.case === "event" ? change.value : [],
    ),
  );
}

/** What a call was refused with: its reason and the fields it names. */
export async function refusalOf(call: Promise<unknown>): Promise<{ reason: string; fields: string[] }> {
  const error = await call.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (!(error instanceof BoxofficeError)) throw new Error("expected a refusal", { cause: error });
  return { reason: error.reason, fields: error.fields.map(({ field }) => field) };
}

export function only<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("expected a value");
  return value;
}
