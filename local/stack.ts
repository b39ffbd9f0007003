import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ensureKeys } from "@boxoffice/platform/auth/keys.ts";
import { type LocalConfig, namedPorts, PROCESSES } from "./config.ts";
import { needsNoEmbeddedPostgres, type ServiceDatabase, serviceDatabases } from "./databases.ts";
import { type Memory, recall } from "./memory.ts";
import { prepareNats } from "./nats.ts";
import { findNatsServer } from "./nats-server.ts";
import { refuseTakenPorts } from "./ports.ts";
import { preparePostgres } from "./postgres.ts";
import { tryLock } from "./process-lock.mjs";
import { migrateAll } from "./schemas.ts";
import { serviceSpecs } from "./services.ts";
import { Supervisor } from "./supervisor.ts";

/** Who else has a key: operators' tokens are made with it. */
const OPERATOR = "operator";

/** The whole box office on this machine. */
export class Stack {
  readonly config: LocalConfig;
  readonly keysFolder: string;
  readonly #supervisor: Supervisor;
  readonly #releaseLock: () => void;
  readonly #tell: (line: string) => void;

  private constructor(
    config: LocalConfig,
    supervisor: Supervisor,
    releaseLock: () => void,
    tell: (line: string) => void,
  ) {
    this.config = config;
    this.keysFolder = join(config.dataFolder, "keys");
    this.#supervisor = supervisor;
    this.#releaseLock = releaseLock;
    this.#tell = tell;
  }

  /**
   * Takes possession of the data folder. Nothing runs yet.
   *
   * @throws Error with one sentence where another start holds the folder
   */
  static async claim(config: LocalConfig, tell: (line: string) => void): Promise<Stack> {
    const { dataFolder } = config;
    mkdirSync(dataFolder, { recursive: true });
    const lock = await tryLock(join(dataFolder, "lock"));
    if ("heldBy" in lock) {
      throw new Error(
        `Boxoffice already runs on ${dataFolder} (process ${lock.heldBy}): stop it first, ` +
          "or set BOXOFFICE_DATA to another folder and the ports to others.",
      );
    }
    return new Stack(config, new Supervisor(dataFolder, tell), lock.release, tell);
  }

  /**
   * Starts everything, and resolves when all of it serves.
   *
   * @param makePages makes the web pages meanwhile, for the gateway, which reads them when it starts
   */
  async start(makePages = async (): Promise<void> => {}): Promise<void> {
    await this.#supervisor.begin();
    await refuseTakenPorts(namedPorts(this.config));
    const memory = await recall(this.config.dataFolder);
    const [databases, natsUrl] = await Promise.all([
      this.#startDatabases(memory),
      this.#startNats(memory),
      ensureKeys(this.keysFolder, [...PROCESSES, OPERATOR]),
      makePages(),
    ]);
    const specs = serviceSpecs(this.config, { databases, natsUrl, keysFolder: this.keysFolder });
    await Promise.all(specs.map((spec) => this.#supervisor.run(spec)));
  }

  /** Stops everything in order. Calling it again waits for the same end. */
  async stop(): Promise<void> {
    await this.#supervisor.stop();
    this.#releaseLock();
  }

  async #startDatabases(memory: Memory): Promise<ServiceDatabase[]> {
    const embedded = needsNoEmbeddedPostgres(this.config) ? undefined : await this.#startPostgres(memory);
    const databases = serviceDatabases(this.config, embedded, memory.rolePasswords);
    await migrateAll(databases);
    return databases;
  }

  async #startPostgres({ postgresPort, ownerPassword }: Memory): Promise<string> {
    const { spec, ownerUrl } = await preparePostgres({
      folder: join(this.config.dataFolder, "postgres"),
      port: postgresPort,
      password: ownerPassword,
      durable: true,
      supervisor: this.#supervisor,
      tell: this.#tell,
    });
    await this.#supervisor.run(spec);
    return ownerUrl;
  }

  async #startNats({ natsPort }: Memory): Promise<string> {
    if (this.config.natsUrl !== undefined) return this.config.natsUrl;
    const server = await findNatsServer(process.env, this.#tell);
    const folder = join(this.config.dataFolder, "nats");
    const { spec, url } = prepareNats({ server, folder, port: natsPort, durable: true });
    await this.#supervisor.run(spec);
    return url;
  }
}
