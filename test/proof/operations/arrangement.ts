import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { JWKS_FILE } from "@boxoffice/platform/auth/keys.ts";
import { PROCESSES, type ProcessName, ROOT, readLocalConfig } from "../../../local/config.ts";
import { freePort } from "../../../local/ports.ts";
import type { ProcessSpec } from "../../../local/supervisor.ts";
import { type ComposeService, readComposeFile } from "../../deployment/compose-file.ts";
import type { FaultBoxOffice } from "../../faults/box-office.ts";
import type { FaultProcess } from "../../faults/fault-process.ts";
import { NameServer } from "../../faults/name-server.ts";
import { startNats } from "../../faults/nats.ts";
import type { Random } from "../../faults/random.ts";
import { type Entry, readLedger } from "../../provider/ledger.ts";
import { providerSpec } from "../payment/world.ts";
import { Spreader } from "./spreader.ts";

const READY_WITHIN_MS = 60_000;

/** What docker-compose.yml describes, run by hand. */
export type Arrangement = {
  /** Every copy of the five processes, by its name ("gateway 2"). */
  replicas: ReadonlyMap<string, FaultProcess>;
  /** Where the proxy is open for browsers. */
  door: string;
  /** Where it is open for gRPC to a service. */
  grpcDoor(service: ProcessName): string;
  /** What stands in front: HAProxy, or what takes its place where there is none. */
  proxy: string;
  ledger(): Entry[];
  stop(): Promise<void>;
};

/**
 * Runs the processes of docker-compose.yml with the commands, settings, secrets and numbers of replicas that stand in
 * it, each on an address of its own as in a container, behind HAProxy with the configuration of deploy/.
 */
export async function arrange(office: FaultBoxOffice, random: Random): Promise<Arrangement> {
  const providerPort = await freePort();
  const ledgerFile = join(office.folder, "ledger-of-operations");
  const provider = office.add(providerSpec("provider of operations", providerPort, ledgerFile, true));
  const compose = readComposeFile({
    BOXOFFICE_UID: "1000",
    BOXOFFICE_GID: "1000",
    PROVIDER_URL: `http://127.0.0.1:${providerPort}`,
  });
  const network = new Network(random);
  const containers = PROCESSES.flatMap((name) => {
    const service = compose.services[name];
    if (service === undefined) throw new Error(`${name} is not in docker-compose.yml`);
    const count = service.deploy?.replicas ?? 1;
    return Array.from({ length: count }, (_, index) => ({
      name,
      label: count > 1 ? `${name} ${index + 1}` : name,
      service,
      address: network.join(name),
    }));
  });
  const proxyAddress = network.join("proxy");
  const nats = await startNats(office); // of its own: whoever counts shares what arrives with all who do
  const folder = writeSecrets(office, nats.url);
  const replicas = new Map<string, FaultProcess>();
  for (const { name, label, service, address } of containers) {
    const env = {
      ...environmentOf(service, network, folder),
      ...bindings(service, name, office),
      LISTEN_HOST: address,
      ADMIN_HOST: address,
    };
    replicas.set(label, office.add(specOf(label, name, address, service, env)));
  }
  const tier = (...names: ProcessName[]) =>
    Promise.all(
      containers.filter(({ name }) => names.includes(name)).map(({ label }) => replicas.get(label)?.start()),
    );
  await provider.start();
  await tier("catalog", "reservation", "payment", "stats");
  await tier("gateway");
  const proxy = await openProxy(office, compose.services.proxy, network, proxyAddress);
  return {
    replicas,
    door: `http://${proxyAddress}:${readLocalConfig({}).ports.gateway}`,
    grpcDoor: (service) => `${proxyAddress}:${readLocalConfig({}).ports[service]}`,
    proxy: proxy.kind,
    ledger: () => readLedger(ledgerFile),
    async stop() {
      await proxy.stop();
      await Promise.all([...replicas.values(), provider].map((process) => process.stop()));
    },
  };
}

/** Addresses of the loopback network, which nobody else on this machine is likely to have. */
class Network {
  readonly #prefix: string;
  readonly #addresses = new Map<string, string[]>();
  #next = 10;

  constructor(random: Random) {
    this.#prefix = `127.${(process.pid % 200) + 20}.${random.int(1, 250)}`;
  }

  join(name: string): string {
    const address = `${this.#prefix}.${this.#next++}`;
    this.#addresses.set(name, [...(this.#addresses.get(name) ?? []), address]);
    return address;
  }

  /** By the names of docker-compose.yml. */
  get addresses(): ReadonlyMap<string, readonly string[]> {
    return this.#addresses;
  }

  get range(): string {
    return `${this.#prefix}.0/24`;
  }
}

/** The secrets that docker-compose.yml mounts. */
function writeSecrets(office: FaultBoxOffice, natsUrl: string): string {
  const folder = join(office.folder, "secrets");
  mkdirSync(folder, { mode: 0o700 });
  const secrets = {
    nats_url: natsUrl,
    catalog_database_url: office.databaseUrlOf("catalog"),
    reservation_database_url: office.databaseUrlOf("reservation"),
    payment_database_url: office.databaseUrlOf("payment"),
    stats_database_url: office.databaseUrlOf("stats"),
    token_hmac_key: randomBytes(24).toString("base64url"),
    provider_api_key: "",
  };
  for (const [name, content] of Object.entries(secrets)) writeFileSync(join(folder, name), content);
  return folder;
}

/** A service's environment, with this machine's files and addresses for those of the containers. */
function environmentOf(
  { environment = {} }: ComposeService,
  network: Network,
  secrets: string,
): Record<string, string> {
  const entries = Object.entries(environment).map(([key, value]): [string, string] => {
    if (value.startsWith("/run/secrets/")) return [key, join(secrets, value.slice("/run/secrets/".length))];
    if (key.endsWith("_ADDRESS")) return [key, everyAddress(value, network)];
    // Clients of the proof say by X-Forwarded-For who they are, as if they came through a proxy of their own.
    if (key === "TRUSTED_PROXIES") return [key, `${value}, 127.0.0.1, ${network.range}`];
    return [key, value];
  });
  return Object.fromEntries(entries);
}

/** A container finds all replicas by the one name. */
function everyAddress(value: string, network: Network): string {
  const [name = "", port] = value.split(":");
  return (network.addresses.get(name) ?? []).map((address) => `${address}:${port}`).join(",");
}

/** The keys, which each container has a folder of its own for. */
function bindings({ environment = {} }: ComposeService, name: string, office: FaultBoxOffice) {
  if (
    !environment.JWKS_FILE?.startsWith("/run/keys/") ||
    !environment.PRIVATE_KEY_FILE?.endsWith(`${name}.key`)
  )
    throw new Error(`docker-compose.yml gives ${name} no keys`);
  return { JWKS_FILE: join(office.folder, JWKS_FILE), PRIVATE_KEY_FILE: join(office.folder, `${name}.key`) };
}

function specOf(
  label: string,
  name: ProcessName,
  address: string,
  { command, stop_grace_period = "10s" }: ComposeService,
  env: Record<string, string>,
): ProcessSpec {
  const [, ...args] = command;
  return {
    name: label,
    command: process.execPath,
    args,
    cwd: ROOT,
    env: { PATH: process.env.PATH, NODE_ENV: "production", ...env },
    readyWhen: { ok: `http://${address}:${readLocalConfig({}).adminPorts[name]}/readyz` },
    readyWithinMs: READY_WITHIN_MS,
    stopSignal: "SIGTERM",
    stopWithinMs: Number.parseInt(stop_grace_period, 10) * 1_000,
    tier: name === "gateway" ? 3 : 2,
  };
}

type Proxy = { kind: string; stop(): Promise<void> };

async function openProxy(
  office: FaultBoxOffice,
  service: ComposeService | undefined,
  network: Network,
  address: string,
): Promise<Proxy> {
  const { ports } = readLocalConfig({});
  const [program = "", ...args] = service?.command ?? [];
  const { status } = spawnSync(program, ["-v"]);
  if (status !== 0) {
    const doors = PROCESSES.map(
      (name) =>
        new Spreader(
          { host: address, port: ports[name] },
          (network.addresses.get(name) ?? []).map((host) => ({ host, port: ports[name] })),
        ),
    );
    await Promise.all(doors.map((door) => door.start()));
    return { kind: "a plain proxy", stop: async () => void doors.map((door) => door.stop()) };
  }
  const names = new NameServer(network.addresses);
  const proxy = office.add({
    name: "proxy",
    command: program,
    args: args.map((arg) => (arg.endsWith("haproxy.cfg") ? join(ROOT, "deploy", "haproxy.cfg") : arg)),
    env: {
      PATH: process.env.PATH,
      ...service?.environment,
      DNS_ADDRESS: await names.start(),
      BIND_ADDRESS: address,
    },
    readyWhen: { ok: `http://${address}:${ports.gateway}/livez` },
    readyWithinMs: READY_WITHIN_MS,
    stopSignal: "SIGTERM",
    stopWithinMs: 5_000,
    tier: 4,
  });
  await proxy.start();
  return {
    kind: "HAProxy",
    async stop() {
      await proxy.stop();
      names.stop();
    },
  };
}
