import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureKeys } from "@boxoffice/platform/auth/keys.ts";
import { Database } from "@boxoffice/platform/database.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { type LocalConfig, PROCESSES, type ProcessName, readLocalConfig } from "../../local/config.ts";
import { serviceDatabases } from "../../local/databases.ts";
import type { DemoClients } from "../../local/demo.ts";
import { recall } from "../../local/memory.ts";
import { prepareNats } from "../../local/nats.ts";
import { findNatsServer } from "../../local/nats-server.ts";
import { createOperatorToken, operatorClients } from "../../local/operator.ts";
import { freePort } from "../../local/ports.ts";
import { preparePostgres } from "../../local/postgres.ts";
import { migrateAll } from "../../local/schemas.ts";
import { reach, serviceSpecs } from "../../local/services.ts";
import { Supervisor } from "../../local/supervisor.ts";
import type { Window } from "./window.ts";

export type BoxOfficeOptions = {
  /** Settings of the five processes that differ from what `npm start` gives them. */
  settings: Record<string, string>;
  /** The process that shall write a CPU profile when it ends, and where. */
  profiles?: { process: ProcessName; folder: string };
  tell: (line: string) => void;
};

/** The load comes from one address, and a run may take longer than a hold. */
const SETTINGS = {
  RATE_LIMIT_RPS: "0",
  STREAMS_PER_CLIENT: "0",
  HOLD_SECONDS: "86400",
  LOG_LEVEL: "warn",
};

/** A query of the bench's own may take long: it counts and fills. */
const STATEMENT_LIMIT_MS = 30 * 60_000;

/**
 * A whole box office to be measured: everything that `npm start` runs, on free ports, with data in a folder of its
 * own that is deleted at the end, and with fsync and synchronous_commit on.
 */
export class BoxOffice {
  readonly config: LocalConfig;
  /** The superuser's connection. */
  readonly database: Database;
  readonly ownerUrl: string;
  readonly natsUrl: string;
  readonly clients: DemoClients;
  readonly operatorToken: string;
  /** Where the data is. */
  readonly folder: string;
  /** The stretches of time under load so far. */
  readonly windows: Window[] = [];
  /** Reservations that were written beside the product, of which its statistics were not told. */
  untold = 0;
  readonly #supervisor: Supervisor;

  private constructor(parts: Parts) {
    this.config = parts.config;
    this.ownerUrl = parts.ownerUrl;
    this.natsUrl = parts.natsUrl;
    this.operatorToken = parts.operatorToken;
    this.folder = parts.folder;
    this.#supervisor = parts.supervisor;
    this.clients = operatorClients(reach(parts.config, "gateway"), parts.operatorToken);
    const log = createLogger("bench");
    log.level = "silent";
    this.database = new Database({
      url: parts.ownerUrl,
      name: "bench",
      log,
      maxConnections: 4,
      statementTimeoutMs: STATEMENT_LIMIT_MS,
      readsWholeTables: true,
    });
  }

  static async open(options: BoxOfficeOptions): Promise<BoxOffice> {
    const folder = mkdtempSync(join(tmpdir(), "boxoffice-bench-"));
    chmodSync(folder, 0o755); // as root, PostgreSQL runs as another user
    const supervisor = new Supervisor(folder, options.tell);
    try {
      await supervisor.begin();
      await supervisor.removeAfterwards(folder);
      return new BoxOffice(await start(folder, supervisor, options));
    } catch (error) {
      await supervisor.stop();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Host and port of a process. */
  address(name: ProcessName): { host: string; port: number } {
    return { host: "127.0.0.1", port: this.config.ports[name] };
  }

  /** What a process says at its admin port's `/metrics`. */
  async metrics(name: ProcessName): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.config.adminPorts[name]}/metrics`);
    return response.text();
  }

  async close(): Promise<void> {
    await this.database.close();
    await this.#supervisor.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

type Parts = {
  config: LocalConfig;
  ownerUrl: string;
  natsUrl: string;
  operatorToken: string;
  folder: string;
  supervisor: Supervisor;
};

async function start(folder: string, supervisor: Supervisor, options: BoxOfficeOptions): Promise<Parts> {
  const { settings, profiles, tell } = options;
  const config = await configFor(folder);
  const memory = await recall(folder);
  const keysFolder = join(folder, "keys");
  mkdirSync(keysFolder);
  const [postgres, nats] = await Promise.all([
    preparePostgres({
      folder: join(folder, "postgres"),
      port: memory.postgresPort,
      password: memory.ownerPassword,
      durable: true,
      supervisor,
      tell,
    }),
    findNatsServer(process.env, tell),
    ensureKeys(keysFolder, [...PROCESSES, "operator"]),
  ]);
  await supervisor.removeAfterwards(postgres.folder);
  const { spec, url: natsUrl } = prepareNats({
    server: nats,
    folder: join(folder, "nats"),
    port: memory.natsPort,
    durable: true,
  });
  await Promise.all([supervisor.run(postgres.spec), supervisor.run(spec)]);
  const databases = serviceDatabases(config, postgres.ownerUrl, memory.rolePasswords);
  await migrateAll(databases);
  const specs = serviceSpecs(config, { databases, natsUrl, keysFolder }).map((service) => ({
    ...service,
    args: [...(service.name === profiles?.process ? profilerTo(profiles.folder) : []), ...service.args],
    env: { ...service.env, ...SETTINGS, ...settings },
  }));
  await Promise.all(specs.map((service) => supervisor.run(service)));
  const operatorToken = await createOperatorToken(keysFolder);
  return { config, ownerUrl: postgres.ownerUrl, natsUrl, operatorToken, folder, supervisor };
}

const profilerTo = (folder: string) => ["--cpu-prof", `--cpu-prof-dir=${folder}`];

/** Nothing but ports and folder: the caller's environment is about another box office. */
async function configFor(folder: string): Promise<LocalConfig> {
  const env: Record<string, string> = { BOXOFFICE_DATA: folder };
  for (const name of PROCESSES) {
    env[`${name.toUpperCase()}_PORT`] = String(await freePort());
    env[`${name.toUpperCase()}_ADMIN_PORT`] = String(await freePort());
  }
  return readLocalConfig(env);
}
