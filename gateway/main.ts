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
import { openTls, tlsSettings } from "@boxoffice/platform/tls.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { Backends } from "./backends.ts";
import { parseOrigins } from "./cors.ts";
import { Feeds } from "./live/feeds.ts";
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
    WEB_FOLDER: setting.text().default(join(import.meta.dirname, "..", "web", "dist")),
  });
  log.level = settings.LOG_LEVEL;
  const corsOrigins = parseOrigins(settings.CORS_ORIGINS);

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

  const server = createGatewayServer({
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
    log,
  });
  const port = await server.listen(settings.LISTEN_HOST, settings.GATEWAY_PORT);
  lifecycle.onStop("http", () => server.close(DRAIN_MS));
  lifecycle.onStop("live streams", () => feeds.close()); // first: they would never end by themselves
  lifecycle.supervise("watch over the services", (signal) => backends.watch(signal));
  log.info({ port, adminPort: admin.port }, "serving");
});
