import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureKeys, JWKS_FILE } from "@boxoffice/platform/auth/keys.ts";
import { createTokenIssuer, mintToken, serviceBearer } from "@boxoffice/platform/auth/tokens.ts";
import { createVerifier } from "@boxoffice/platform/auth/verifier.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { HealthState } from "@boxoffice/platform/rpc/health.ts";
import { createRpcServer, type RpcServer } from "@boxoffice/platform/rpc/server.ts";
import { service } from "@boxoffice/platform/rpc/service.ts";
import { toStatus } from "@boxoffice/platform/rpc/status.ts";
import { checkRequest } from "@boxoffice/platform/rpc/validate.ts";
import { systemRuntime } from "@boxoffice/platform/runtime.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import {
  ReservationSchema,
  ReservationService,
  type ReserveRequest,
  ReserveRequestSchema,
  ReserveResponseSchema,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import {
  type ReserveManyRequest,
  type ReserveResult,
  SalesService,
} from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { AccessLogChoice } from "../access-log.ts";
import { Backends } from "../backends.ts";
import type { Certificate } from "../certificate.ts";
import type { Door } from "../door.ts";
import { openClients } from "../limits/clients.ts";
import { Overload } from "../limits/overload.ts";
import { PerClient } from "../limits/per-client.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import { Feeds } from "../live/feeds.ts";
import { createHomePage } from "../pages/home.ts";
import { createRoutes, type RouteOptions } from "../routes.ts";
import { createGatewayServer } from "../server.ts";
import { SharedReads } from "../shared-reads.ts";
import { openStaticFiles } from "../static.ts";

export type Impls = {
  catalog?: Partial<ServiceImpl<typeof CatalogService>>;
  reservation?: Partial<ServiceImpl<typeof ReservationService>>;
  sales?: Partial<ServiceImpl<typeof SalesService>>;
  payment?: Partial<ServiceImpl<typeof PaymentService>>;
  stats?: Partial<ServiceImpl<typeof StatsService>>;
};

export const EVENT_ID = "0198c1f0-0000-7000-8000-000000000001";
export const AVAILABILITY = "boxoffice.reservation.v1.ReservationService/GetAvailability";
export const RESERVE = "boxoffice.reservation.v1.ReservationService/Reserve";
export const PAUSE = "boxoffice.reservation.v1.ReservationService/PauseSales";

export type TestGatewayOptions = {
  corsOrigins?: string[];
  webFolder?: string;
  trustedProxies?: string;
  ratePerSecond?: number;
  streamsPerClient?: number;
  connectionsPerClient?: number;
  maxInFlight?: number;
  certificate?: Certificate;
  accessLog?: AccessLogChoice;
};

/** A gateway in front of one gRPC server that plays all four services. Dispose of it with `await using`. */
export async function startGateway(impls: Impls, options: TestGatewayOptions = {}): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-gateway-"));
  await ensureKeys(folder, ["gateway", "reservation", "catalog", "operator"]);
  const logged: Logged[] = [];
  const accessed: Logged[] = [];
  const recordIn = (list: Logged[]) => (facts: Omit<Logged, "msg">, msg: string) =>
    void list.push({ ...facts, msg });
  const log = Object.assign(createLogger("gateway", "silent"), {
    warn: recordIn(logged),
    error: recordIn(logged),
    info: recordIn(accessed),
  });
  const verifier = createVerifier({ jwksFile: join(folder, JWKS_FILE), audience: "reservation", log });
  const backend = createRpcServer({
    name: "services",
    services: [
      service(CatalogService, impls.catalog ?? {}),
      service(ReservationService, impls.reservation ?? {}),
      service(SalesService, { reserveMany: reserveEach(impls.reservation?.reserve), ...impls.sales }),
      service(PaymentService, impls.payment ?? {}),
      service(StatsService, impls.stats ?? {}),
    ],
    verifier,
    health: new HealthState(),
    log: createLogger("services", "silent"),
  });
  const address = `127.0.0.1:${await backend.listen("127.0.0.1", 0)}`;
  const backends = new Backends(
    { catalog: address, reservation: address, payment: address, stats: address },
    systemRuntime,
    log,
  );
  const watching = new AbortController();
  const watched = backends.watch(watching.signal);
  const reads = new SharedReads(log);
  const feeds = new Feeds({ runtime: systemRuntime, log });
  const clients = openClients(options.trustedProxies ?? "");
  const overload = new Overload({ maxInFlight: options.maxInFlight ?? 1_000 });
  const { ratePerSecond } = options;
  const routeOptions: RouteOptions = {
    transports: backends.transports,
    reservationBearer: serviceBearer(
      createTokenIssuer({ role: "gateway", keyFile: join(folder, "gateway.key") }),
      "reservation",
    ),
    reads,
    feeds,
    // One server plays them all, under one name.
    verifiers: { catalog: verifier, reservation: verifier, payment: verifier, stats: verifier },
    limits: {
      clients,
      rate: ratePerSecond === undefined ? undefined : new RateLimit(ratePerSecond),
      overload,
      streams: new PerClient(options.streamsPerClient ?? 0),
    },
    log,
  };
  const gateway = createGatewayServer({
    routes: createRoutes(routeOptions),
    homePage: createHomePage({
      catalog: createRpcClient(CatalogService, backends.transports.catalog),
      reservation: createRpcClient(ReservationService, backends.transports.reservation),
      runtime: systemRuntime,
      log,
    }),
    ...(options.webFolder !== undefined && { staticFiles: openStaticFiles(options.webFolder) }),
    isReady: () => backends.isReady,
    corsOrigins: new Set(options.corsOrigins),
    clients,
    connections: new PerClient(options.connectionsPerClient ?? 0),
    maxConnections: 10_000,
    certificate: options.certificate,
    accessLog: options.accessLog ?? "none",
    log,
  });
  const port = await gateway.listen("127.0.0.1", 0);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    address,
    folder,
    port,
    backends,
    reads,
    feeds,
    routeOptions,
    gateway,
    backend,
    logged,
    accessed,
    post: (method, message, headers = {}) =>
      fetch(`${url}/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body:
          typeof message === "string" || message instanceof Uint8Array ? message : JSON.stringify(message),
      } as RequestInit),
    raw: (text) => talkRaw(port, text),
    bearer: async (role) => {
      const audience = role === "operator" ? {} : { audience: "reservation" };
      const privateKeyFile = join(folder, `${role}.key`);
      const token = await mintToken({ privateKeyFile, role, subject: "test", ttlSeconds: 60, ...audience });
      return { authorization: `Bearer ${token}` };
    },
    async [Symbol.asyncDispose]() {
      watching.abort();
      await watched;
      feeds.close();
      await gateway.close(100);
      backends.close();
      overload.close();
      await backend.close(100);
      rmSync(folder, { recursive: true });
    },
  };
}

/** What the reservation service does with many: each is checked and decided on its own. */
function reserveEach(reserve: ServiceImpl<typeof ReservationService>["reserve"] | undefined) {
  const one = async (request: ReserveRequest, context: HandlerContext): Promise<ReserveResult["outcome"]> => {
    try {
      checkRequest(ReserveRequestSchema, request);
      const { reservation } = create(ReserveResponseSchema, await reserve?.(request, context));
      return { case: "reservation", value: reservation ?? create(ReservationSchema) };
    } catch (error) {
      return { case: "error", value: toStatus(error) };
    }
  };
  return async ({ items }: ReserveManyRequest, context: HandlerContext) => ({
    results: await Promise.all(
      items.map(async ({ request }) => ({
        outcome: await one(create(ReserveRequestSchema, request), context),
      })),
    ),
  });
}

export type TestGateway = AsyncDisposable & {
  url: string;
  /** Of the server that plays the services. */
  address: string;
  /** With everybody's keys. */
  folder: string;
  port: number;
  backends: Backends;
  reads: SharedReads;
  feeds: Feeds;
  routeOptions: RouteOptions;
  gateway: Door;
  backend: RpcServer;
  /** Warnings and errors. */
  logged: Logged[];
  /** What was only said. */
  accessed: Logged[];
  /** A POST as curl would make it. A text or bytes are sent as they are. */
  post(method: string, message: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Sends text on a connection of its own, and gives what came back until it was closed or silent. */
  raw(text: string): Promise<string>;
  bearer(role: "operator" | "catalog"): Promise<{ authorization: string }>;
};

type Logged = { msg: string; method?: string; [fact: string]: unknown };

/** An error as JSON has it. */
export type ErrorJson = {
  code: string;
  message: string;
  details?: { type: string; debug?: Record<string, unknown> }[];
};

/** The readable form of one of an error's details. */
export function debugOf(error: ErrorJson, type: string): Record<string, unknown> | undefined {
  return error.details?.find((detail) => detail.type === `google.rpc.${type}`)?.debug;
}

/** Status, code, reason and first wrong field of an answer: what a client decides by. */
export async function refusalOf(response: Response) {
  const error = (await response.json()) as ErrorJson;
  const violations = debugOf(error, "BadRequest")?.fieldViolations as { field: string }[] | undefined;
  return {
    status: response.status,
    code: error.code,
    reason: debugOf(error, "ErrorInfo")?.reason,
    field: violations?.[0]?.field,
  };
}

function talkRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let received = "";
    const done = () => {
      socket.destroy();
      resolve(received);
    };
    socket.setTimeout(300, done);
    socket.on("data", (chunk) => {
      received += chunk.toString();
    });
    socket.on("error", done);
    socket.on("close", done);
  });
}
