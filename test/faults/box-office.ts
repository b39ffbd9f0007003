import { chmodSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureKeys, JWKS_FILE } from "@boxoffice/platform/auth/keys.ts";
import {
  createTokenIssuer,
  mintToken,
  OPERATOR_ROLE,
  serviceBearer,
} from "@boxoffice/platform/auth/tokens.ts";
import { Database } from "@boxoffice/platform/database.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { createGrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { PROCESSES, type ProcessName, ROOT, SERVICES, type Service } from "../../local/config.ts";
import { GuardLink } from "../../local/guard-link.ts";
import { freePort } from "../../local/ports.ts";
import { ProcessRecord } from "../../local/processes.ts";
import type { ProcessSpec } from "../../local/supervisor.ts";
import { History } from "../checker/history.ts";
import { createFreshDatabase, type FreshDatabase } from "../support/fresh-database.ts";
import type { ServerUrls } from "../support/start-servers.ts";
import { FaultProcess } from "./fault-process.ts";

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 17_000;
const OPERATOR_TTL_SECONDS = 24 * 60 * 60;

/** Long enough for a machine that is busy with other things. */
const CALL_TIMEOUT_MS = 60_000;
const CHECK_TIMEOUT_MS = 120_000;

/** Runs some other program, such as a server, which ends with the box office. Nothing is started yet. */
export type AddProcess = (spec: ProcessSpec) => FaultProcess;

/** Starts servers for one box office alone, which may be killed like everything else in it. */
export type StartOwnServers = (place: { folder: string; add: AddProcess }) => Promise<ServerUrls>;

/** One running copy of a service. */
export type Replica = { process: FaultProcess; address: string };

export type ReplicaOptions = {
  /** Tells replicas of a service apart. */
  name: string;
  /** Settings of its own. */
  settings?: Record<string, string | number>;
  /** Goes to the database by another way than straight: through a proxy. */
  databaseUrl?: string;
  /** Has a nats-server of its own. */
  natsUrl?: string;
  /** Runs this file in place of the service's own main.ts. */
  entry?: string;
};

/**
 * Services as real processes on a database, keys and ports of their own, to be killed, frozen and cut off at will.
 * Every client that is made here writes into one history.
 */
export class FaultBoxOffice {
  readonly history = new History();
  /** As the schemas' owner, for looking into them. */
  readonly database: Database;
  readonly #servers: ServerUrls;
  readonly #hasOwnServers: boolean;
  readonly #schemas: FreshDatabase;
  readonly #folder: string;
  readonly #guard: GuardLink;
  readonly #replicas: Map<string, Replica>;
  readonly #transports: { close(): void }[] = [];

  private constructor(parts: Parts) {
    this.#servers = parts.servers;
    this.#hasOwnServers = parts.hasOwnServers;
    this.#schemas = parts.schemas;
    this.#folder = parts.folder;
    this.#guard = parts.guard;
    this.#replicas = parts.replicas;
    this.database = new Database({
      url: parts.schemas.ownerUrl,
      name: "checker",
      log: createLogger("checker", "silent"),
      statementTimeoutMs: CHECK_TIMEOUT_MS,
      readsWholeTables: true,
    });
  }

  /** Makes the database and the keys. Of the services, nothing runs yet. */
  static async open(
    servers: ServerUrls | StartOwnServers,
    services: readonly Service[] = SERVICES,
  ): Promise<FaultBoxOffice> {
    const folder = mkdtempSync(join(tmpdir(), "boxoffice-faults-"));
    chmodSync(folder, 0o755);
    const guard = new GuardLink(new ProcessRecord(join(folder, "processes")));
    await guard.start();
    const replicas = new Map<string, Replica>();
    const add = (spec: ProcessSpec) => addTo(replicas, spec, guard);
    const hasOwnServers = typeof servers === "function";
    try {
      await guard.removeAfterwards(folder);
      await ensureKeys(folder, [...PROCESSES, OPERATOR_ROLE]);
      const urls = hasOwnServers ? await servers({ folder, add }) : servers;
      const schemas = await createFreshDatabase(urls.ownerUrl, [...services]);
      return new FaultBoxOffice({ servers: urls, hasOwnServers, schemas, folder, guard, replicas });
    } catch (error) {
      guard.end();
      throw error;
    }
  }

  /** For files of programs that run beside it; it is removed at the end. */
  get folder(): string {
    return this.#folder;
  }

  /** Where a service finds its schema. */
  databaseUrlOf(service: Service): string {
    return this.#schemas.urlFor(service);
  }

  /** As the schemas' owner, who may do anything there. */
  get ownerUrl(): string {
    return this.#schemas.ownerUrl;
  }

  /** Starts a replica of a service, or gives the one of this name, which is started again if it does not run. */
  async start(service: ProcessName, options: ReplicaOptions): Promise<Replica> {
    const key = `${service} ${options.name}`;
    const known = this.#replicas.get(key);
    if (known !== undefined) {
      if (!known.process.isRunning) await known.process.start();
      return known;
    }
    const replica = await this.#prepare(service, options);
    this.#replicas.set(key, replica);
    await replica.process.start();
    return replica;
  }

  /** Runs some other program, such as a server, which ends with the box office. Nothing is started yet. */
  add(spec: ProcessSpec): FaultProcess {
    return addTo(this.#replicas, spec, this.#guard);
  }

  /**
   * A client of one service at one address.
   *
   * @param as the operator, or the service in whose name to call; nobody in particular unless given
   */
  async connect<S extends DescService>(desc: S, address: string, as?: string): Promise<Client<S>> {
    const bearer = as === undefined ? undefined : await this.#bearer(desc, as);
    const transport = createGrpcTransport(address, {
      defaultTimeoutMs: CALL_TIMEOUT_MS,
      interceptors: [this.history.interceptor],
      ...(bearer && { bearer }),
    });
    this.#transports.push(transport);
    return createRpcClient(desc, transport);
  }

  /** Which processes ended although nobody had asked them to, in words. */
  unexpectedEnds(): string[] {
    return [...this.#replicas.values()].flatMap(({ process }) =>
      process.unexpectedEnds.map((end) => {
        const last = process.lastLines.slice(-5).join("\n  ");
        return `${process.spec.name} ended by itself (${end}):\n  ${last}`;
      }),
    );
  }

  /** Ends all processes and drops the database. */
  async end(): Promise<void> {
    for (const transport of this.#transports) transport.close();
    if (this.#hasOwnServers) await this.database.close(); // they are gone in a moment, with all that is in them
    await this.#killAll();
    if (!this.#hasOwnServers) {
      await this.database.close();
      await this.#schemas.drop();
    }
    this.#guard.end();
  }

  /** What others use ends after them, so that their farewells still arrive. */
  async #killAll(): Promise<void> {
    const running = [...this.#replicas.values()].filter(({ process }) => process.isRunning);
    const tiers = Map.groupBy(running, ({ process }) => process.spec.tier);
    for (const [, members] of [...tiers].sort(([one], [other]) => other - one))
      await Promise.all(members.map(({ process }) => process.isRunning && process.kill()));
  }

  async #bearer(desc: DescService, as: string): Promise<() => Promise<string> | string> {
    const keyFile = join(this.#folder, `${as}.key`);
    if (as === OPERATOR_ROLE) {
      const [role, subject, ttlSeconds] = [as, "test", OPERATOR_TTL_SECONDS];
      const token = await mintToken({ privateKeyFile: keyFile, role, subject, ttlSeconds });
      return () => token;
    }
    const audience = desc.typeName.split(".")[1] ?? "";
    return serviceBearer(createTokenIssuer({ role: as, keyFile }), audience);
  }

  async #prepare(service: ProcessName, options: ReplicaOptions): Promise<Replica> {
    const { name, settings = {}, entry } = options;
    const [port, adminPort] = [await freePort(), await freePort()];
    const variable = service.toUpperCase();
    const isGateway = service === "gateway";
    const databaseUrl = isGateway ? undefined : (options.databaseUrl ?? this.databaseUrlOf(service));
    const spec: ProcessSpec = {
      name: `${service} ${name}`,
      command: process.execPath,
      args: [entry ?? join(ROOT, isGateway ? "gateway" : join("services", service), "main.ts")],
      cwd: ROOT,
      env: {
        ...process.env,
        ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, String(value)])),
        NATS_URL: options.natsUrl ?? this.#servers.natsUrl,
        JWKS_FILE: join(this.#folder, JWKS_FILE),
        PRIVATE_KEY_FILE: join(this.#folder, `${service}.key`),
        [`${variable}_PORT`]: String(port),
        [`${variable}_ADMIN_PORT`]: String(adminPort),
        ...(databaseUrl && { [`${variable}_DATABASE_URL`]: databaseUrl }),
      },
      readyWhen: { ok: `http://127.0.0.1:${adminPort}/readyz` },
      readyWithinMs: READY_WITHIN_MS,
      stopSignal: "SIGTERM",
      stopWithinMs: STOP_WITHIN_MS,
      tier: isGateway ? 3 : 2,
    };
    return { process: new FaultProcess(spec, this.#guard), address: `127.0.0.1:${port}` };
  }
}

type Parts = {
  servers: ServerUrls;
  hasOwnServers: boolean;
  schemas: FreshDatabase;
  folder: string;
  guard: GuardLink;
  replicas: Map<string, Replica>;
};

function addTo(replicas: Map<string, Replica>, spec: ProcessSpec, guard: GuardLink): FaultProcess {
  const process = new FaultProcess(spec, guard);
  replicas.set(spec.name, { process, address: "" });
  return process;
}
