import type { z } from "zod";
import { startAdmin } from "./admin.ts";
import { createTokenIssuer, serviceBearer } from "./auth/tokens.ts";
import { createVerifier, identityProviderSettings, type Verifier } from "./auth/verifier.ts";
import { Bus, busSettings, busTls } from "./bus.ts";
import { commonSettings, readConfig, setting } from "./config.ts";
import { Database } from "./database.ts";
import { type Lifecycle, runProcess } from "./lifecycle.ts";
import { createLogger, type Logger } from "./log.ts";
import { HealthState } from "./rpc/health.ts";
import { createRpcServer } from "./rpc/server.ts";
import type { RpcService } from "./rpc/service.ts";
import { createGrpcTransport, type GrpcTransport } from "./rpc/transport.ts";
import { type Runtime, systemRuntime } from "./runtime.ts";
import { openTls, tlsSettings } from "./tls.ts";
import { startTracing, tracingSettings } from "./tracing.ts";

/** How long one call to another service may take, in milliseconds. */
const CALL_TIMEOUT_MS = 10_000;

/** How often a service looks whether its database answers. */
const HEALTH_EVERY_MS = 1_000;

const DRAIN_MS = 10_000;

/** What a service is put together from. */
export type ServiceParts<Settings> = {
  settings: Settings;
  database: Database;
  bus: Bus;
  runtime: Runtime;
  log: Logger;
  lifecycle: Lifecycle;
  verifier: Verifier;
  /** Calls another service in this one's name. */
  transportTo(service: string, address: string): GrpcTransport;
};

export type ServiceDefinition<Shape extends z.ZodRawShape> = {
  /** Its schema has the same name, and its settings begin with it. */
  name: string;
  /** Where it listens unless told. */
  ports: { rpc: number; admin: number };
  /** Settings of its own. */
  settings: Shape;
  /** See the database's option of this name. */
  readsWholeTables?: boolean;
  /** Puts it together. Loops are begun with `lifecycle.supervise`. */
  assemble(parts: ServiceParts<z.output<z.ZodObject<Shape>>>): RpcService[] | Promise<RpcService[]>;
};

/** Runs one service as a process, from its settings to its end. */
export async function runServiceProcess<Shape extends z.ZodRawShape>(
  definition: ServiceDefinition<Shape>,
): Promise<void> {
  const { name, ports } = definition;
  const variable = name.toUpperCase();
  const log = createLogger(name);
  await runProcess(log, async (lifecycle) => {
    const settings = readConfig(definition.settings);
    const common = readConfig(commonSettings);
    const nats = readConfig(busSettings);
    const own = readConfig({
      [`${variable}_DATABASE_URL`]: setting.url("postgres:", "postgresql:"),
      [`${variable}_PORT`]: setting.port(ports.rpc),
      [`${variable}_ADMIN_PORT`]: setting.port(ports.admin),
    });
    log.level = common.LOG_LEVEL;
    await followTraces(name, lifecycle);
    const tls = openTls(readConfig(tlsSettings), log);
    const operators = readConfig(identityProviderSettings);

    const { readsWholeTables = false } = definition;
    const database = new Database({
      url: String(own[`${variable}_DATABASE_URL`]),
      name,
      log,
      readsWholeTables,
    });
    lifecycle.onStop("database", () => database.close());
    const bus = new Bus({ url: nats.NATS_URL, tls: busTls(nats), name, log });
    lifecycle.onStop("bus", () => bus.close());
    const issuer = createTokenIssuer({ role: name, keyFile: common.PRIVATE_KEY_FILE, log });
    const verifier = createVerifier({
      jwksFile: common.JWKS_FILE,
      audience: name,
      operatorJwksUrl: operators.OPERATOR_JWKS_URL,
      operatorIssuer: operators.OPERATOR_ISSUER,
      log,
    });
    const services = await definition.assemble({
      settings,
      database,
      bus,
      runtime: systemRuntime,
      log,
      lifecycle,
      verifier,
      transportTo: (service, address) => {
        const transport = createGrpcTransport(address, {
          defaultTimeoutMs: CALL_TIMEOUT_MS,
          bearer: serviceBearer(issuer, service),
          tls,
        });
        lifecycle.onStop(`calls to ${service}`, () => transport.close());
        return transport;
      },
    });

    const health = new HealthState();
    const server = createRpcServer({
      name,
      services,
      verifier,
      health,
      log,
      tls,
      shutdownSignal: lifecycle.signal,
    });
    const port = await server.listen(common.LISTEN_HOST, Number(own[`${variable}_PORT`]));
    lifecycle.onStop("rpc", () => server.close(DRAIN_MS));
    const admin = await startAdmin({
      host: common.ADMIN_HOST,
      port: Number(own[`${variable}_ADMIN_PORT`]),
      isReady: () => health.status === "SERVING",
    });
    lifecycle.onStop("admin", () => admin.close());
    lifecycle.supervise("health", (signal) => followHealth(database, health, signal));
    log.info({ port, adminPort: admin.port }, "serving");
  });
}

/** Collects traces where the settings say who takes them. */
export async function followTraces(service: string, lifecycle: Lifecycle): Promise<void> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: share } =
    readConfig(tracingSettings);
  if (endpoint === undefined) return;
  lifecycle.onStop("traces", await startTracing({ service, endpoint, share }));
}

/** A service serves while its database answers. */
async function followHealth(database: Database, health: HealthState, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const answers = await database.answers();
    if (!signal.aborted) health.set(answers ? "SERVING" : "NOT_SERVING");
    await systemRuntime.sleep(HEALTH_EVERY_MS, signal);
  }
}
