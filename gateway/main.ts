import { join } from "node:path";
import { startAdmin } from "@boxoffice/platform/admin.ts";
import { createTokenIssuer, serviceBearer } from "@boxoffice/platform/auth/tokens.ts";
import {
  createVerifier,
  identityProviderSettings,
  type Verifier,
} from "@boxoffice/platform/auth/verifier.ts";
import { Bus, busSettings, busTls } from "@boxoffice/platform/bus.ts";
import { commonSettings, readConfig, setting } from "@boxoffice/platform/config.ts";
import { runProcess } from "@boxoffice/platform/lifecycle.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { systemRuntime } from "@boxoffice/platform/runtime.ts";
import { followTraces } from "@boxoffice/platform/service-process.ts";
import { openTls, tlsSettings } from "@boxoffice/platform/tls.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { ACCESS_LOG_CHOICES } from "./access-log.ts";
import { Backends } from "./backends.ts";
import { openCertificate } from "./certificate.ts";
import { parseOrigins } from "./cors.ts";
import { openClients } from "./limits/clients.ts";
import { Overload } from "./limits/overload.ts";
import { PerClient } from "./limits/per-client.ts";
import { RateLimit } from "./limits/rate-limit.ts";
import { Feeds } from "./live/feeds.ts";
import { showOpen } from "./metrics.ts";
import { createHomePage } from "./pages/home.ts";
import { type BackendName, createRoutes } from "./routes.ts";
import { createGatewayServer } from "./server.ts";
import { SharedReads } from "./shared-reads.ts";
import { openStaticFiles } from "./static.ts";

/** How long requests may still take when the process is told to stop, in milliseconds. */
const DRAIN_MS = 10_000;

const log = createLogger("gateway");
await runProcess(log, async (lifecycle) => {
  const settings = readConfig({
    LISTEN_HOST: commonSettings.LISTEN_HOST,
    ADMIN_HOST: commonSettings.ADMIN_HOST,
    LOG_LEVEL: commonSettings.LOG_LEVEL,
    GATEWAY_PORT: setting.port(8080),
    GATEWAY_ADMIN_PORT: setting.port(9150),
    CATALOG_ADDRESS: setting.text().default("127.0.0.1:50051"),
    RESERVATION_ADDRESS: setting.text().default("127.0.0.1:50052"),
    PAYMENT_ADDRESS: setting.text().default("127.0.0.1:50053"),
    STATS_ADDRESS: setting.text().default("127.0.0.1:50054"),
    ...busSettings,
    NATS_URL: busSettings.NATS_URL.optional(),
    ...tlsSettings,
    ...identityProviderSettings,
    PRIVATE_KEY_FILE: commonSettings.PRIVATE_KEY_FILE,
    JWKS_FILE: commonSettings.JWKS_FILE,
    CORS_ORIGINS: setting.text().default(""),
    TRUSTED_PROXIES: setting.text().default(""),
    RATE_LIMIT_RPS: setting.integer({ min: 0, max: 1_000_000, fallback: 50 }),
    STREAMS_PER_CLIENT: setting.integer({ min: 0, max: 1_000_000, fallback: 100 }),
    CONNECTIONS_PER_CLIENT: setting.integer({ min: 0, max: 1_000_000, fallback: 1_000 }),
    MAX_CONNECTIONS: setting.integer({ min: 1, max: 1_000_000, fallback: 20_000 }),
    MAX_REQUESTS_IN_FLIGHT: setting.integer({ min: 1, max: 1_000_000, fallback: 2_000 }),
    GATEWAY_TLS_CERT_FILE: setting.text().optional(),
    GATEWAY_TLS_KEY_FILE: setting.text().optional(),
    ACCESS_LOG: setting.oneOf(ACCESS_LOG_CHOICES, "failures"),
    WEB_FOLDER: setting.text().default(join(import.meta.dirname, "..", "web", "dist")),
  });
  log.level = settings.LOG_LEVEL;
  await followTraces("gateway", lifecycle);
  const corsOrigins = parseOrigins(settings.CORS_ORIGINS);
  const clients = openClients(settings.TRUSTED_PROXIES, () =>
    log.warn(
      "requests come through a proxy that TRUSTED_PROXIES does not name: all its clients count as one",
    ),
  );
  const certificate = openCertificate(settings.GATEWAY_TLS_CERT_FILE, settings.GATEWAY_TLS_KEY_FILE, log);

  const issuer = createTokenIssuer({ role: "gateway", keyFile: settings.PRIVATE_KEY_FILE, log });
  const backends = new Backends(
    {
      catalog: settings.CATALOG_ADDRESS,
      reservation: settings.RESERVATION_ADDRESS,
      payment: settings.PAYMENT_ADDRESS,
      stats: settings.STATS_ADDRESS,
    },
    systemRuntime,
    log,
    openTls(settings, log),
  );
  lifecycle.onStop("calls to services", () => backends.close());
  const isReady = () => !lifecycle.signal.aborted && backends.isReady;

  // Before the door, so that it is closed after it: until the end, the probe says that this process drains.
  const admin = await startAdmin({ host: settings.ADMIN_HOST, port: settings.GATEWAY_ADMIN_PORT, isReady });
  lifecycle.onStop("admin", () => admin.close());

  const reads = new SharedReads(log);
  if (settings.NATS_URL !== undefined) {
    const bus = new Bus({ url: settings.NATS_URL, tls: busTls(settings), name: "gateway", log });
    lifecycle.onStop("bus", () => bus.close());
    const topic = "availability.";
    bus.hear(`${topic}*`, (subject) => reads.invalidate(subject.slice(topic.length)), lifecycle.signal);
  }

  const feeds = new Feeds({ runtime: systemRuntime, log });
  const verifierFor = (service: BackendName): Verifier =>
    createVerifier({
      jwksFile: settings.JWKS_FILE,
      audience: service,
      operatorJwksUrl: settings.OPERATOR_JWKS_URL,
      operatorIssuer: settings.OPERATOR_ISSUER,
      log,
    });

  const overload = new Overload({ maxInFlight: settings.MAX_REQUESTS_IN_FLIGHT });
  lifecycle.onStop("overload", () => overload.close());
  const perSecond = settings.RATE_LIMIT_RPS;

  const door = createGatewayServer({
    routes: createRoutes({
      transports: backends.transports,
      reservationBearer: serviceBearer(issuer, "reservation"),
      reads,
      feeds,
      verifiers: {
        catalog: verifierFor("catalog"),
        reservation: verifierFor("reservation"),
        payment: verifierFor("payment"),
        stats: verifierFor("stats"),
      },
      limits: {
        clients,
        rate: perSecond === 0 ? undefined : new RateLimit(perSecond),
        overload,
        streams: new PerClient(settings.STREAMS_PER_CLIENT),
      },
      log,
    }),
    homePage: createHomePage({
      catalog: createRpcClient(CatalogService, backends.transports.catalog),
      reservation: createRpcClient(ReservationService, backends.transports.reservation),
      runtime: systemRuntime,
      log,
    }),
    staticFiles: openStaticFiles(settings.WEB_FOLDER),
    isReady,
    corsOrigins,
    clients,
    connections: new PerClient(settings.CONNECTIONS_PER_CLIENT),
    maxConnections: settings.MAX_CONNECTIONS,
    certificate,
    accessLog: settings.ACCESS_LOG,
    log,
  });
  showOpen({
    connections: () => door.connections,
    feeds: () => feeds.size,
    inFlight: () => overload.inFlight,
  });
  const port = await door.listen(settings.LISTEN_HOST, settings.GATEWAY_PORT);
  lifecycle.onStop("http", () => door.close(DRAIN_MS));
  lifecycle.onStop("live streams", () => feeds.close()); // first: they would never end by themselves
  lifecycle.supervise("watch over the services", (signal) => backends.watch(signal));
  log.info({ port, adminPort: admin.port }, "serving");
});
