import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { JWKS_FILE } from "@boxoffice/platform/auth/keys.ts";
import { PROCESSES, type ProcessName, ROOT, readLocalConfig, SERVICES } from "../../../local/config.ts";
import { freePort } from "../../../local/ports.ts";
import type { ProcessSpec } from "../../../local/supervisor.ts";
import { type ComposeService, readComposeFile } from "../../deployment/compose-file.ts";
import type { FaultBoxOffice } from "../../faults/box-office.ts";
import type { FaultProcess } from "../../faults/fault-process.ts";
import { NameServer } from "../../faults/name-server.ts";
import { startNats } from "../../faults/nats.ts";
import { LoopbackNetwork, type Network } from "../../faults/network.ts";
import type { Random } from "../../faults/random.ts";
import { type Entry, readLedger } from "../../provider/ledger.ts";
import { providerSpec } from "../payment/world.ts";
import { Spreader } from "./spreader.ts";

/** A machine that is busy with other things may take long over it. */
const READY_WITHIN_MS = 180_000;

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
  /** The simulated payment company. */
  provider: FaultProcess;
  ledger(): Entry[];
  stop(): Promise<void>;
};

export type ArrangeOptions = {
  /** Where the processes live; on the loopback network unless given. */
  network?: Network;
  /** How many of each process; as many as docker-compose.yml says unless given. */
  copies?: number;
  /** A nats-server that runs; it gets one of its own unless given. */
  natsUrl?: string;
  /** Beside those of docker-compose.yml. */
  settings?: Record<string, string>;
  /** The same for one process. */
  settingsOf?: (label: string) => Record<string, string>;
  /** A module that every process loads before its own. */
  preload?: string;
};

/**
 * Runs the processes of docker-compose.yml with the commands, settings, secrets and numbers of replicas that stand in
 * it, each on an address of its own as in a container, behind HAProxy with the configuration of deploy/.
 */
export async function arrange(
  office: FaultBoxOffice,
  random: Random,
  options: ArrangeOptions = {},
): Promise<Arrangement> {
  const { network = new LoopbackNetwork(random), settings = {}, preload } = options;
  const providerPort = await freePort();
  const providerHost = options.network ? await network.join("provider", "provider") : "127.0.0.1";
  const ledgerFile = join(office.folder, "ledger-of-operations");
  const provider = office.add(
    network.place("provider", providerSpec("provider", providerPort, ledgerFile, true, providerHost)),
  );
  const compose = readComposeFile({ BOXOFFICE_UID: "1000", BOXOFFICE_GID: "1000" });
  const containers: Container[] = [];
  for (const name of PROCESSES) {
    const service = compose.services[name];
    if (service === undefined) throw new Error(`${name} is not in docker-compose.yml`);
    const count = options.copies ?? service.deploy?.replicas ?? 1;
    for (let index = 1; index <= count; index++) {
      const label = count > 1 ? `${name} ${index}` : name;
      containers.push({ name, label, service, address: await network.join(name, label) });
    }
  }
  const loopback = network instanceof LoopbackNetwork ? network : new LoopbackNetwork(random);
  const proxyAddress = await loopback.join("proxy", "proxy");
  const natsUrl = options.natsUrl ?? (await startNats(office)).url; // of its own: who counts shares what arrives
  const replicas = new Map<string, FaultProcess>();
  for (const container of containers) {
    const { name, label, service, address } = container;
    const folder = await writeSecrets(office, label, network, natsUrl);
    const providerAt = await network.way(label, `${providerHost}:${providerPort}`);
    const env = {
      ...(await environmentOf(container, network, folder)),
      ...bindings(service, name, office),
      ...(name === "payment" && { PROVIDER_URL: `http://${providerAt}` }),
      ...settings,
      ...options.settingsOf?.(label),
      LISTEN_HOST: address,
      ADMIN_HOST: address,
    };
    replicas.set(label, office.add(network.place(label, specOf(container, env, preload))));
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
    provider,
    ledger: () => readLedger(ledgerFile),
    async stop() {
      await proxy.stop();
      await Promise.all([...replicas.values(), provider].map((process) => process.stop()));
    },
  };
}

type Container = { name: ProcessName; label: string; service: ComposeService; address: string };

/** One for all: whoever repeats a payment at another replica must be known there. */
const TOKEN_HMAC_KEY = randomBytes(24).toString("base64url");

/** The secrets that docker-compose.yml mounts, as one container sees them. @returns the folder */
async function writeSecrets(
  office: FaultBoxOffice,
  label: string,
  network: Network,
  natsUrl: string,
): Promise<string> {
  const folder = join(office.folder, "secrets", label);
  mkdirSync(folder, { mode: 0o700, recursive: true });
  const secrets: Record<string, string> = {
    nats_url: await urlFor(label, natsUrl, network),
    token_hmac_key: TOKEN_HMAC_KEY,
    provider_api_key: "",
  };
  for (const service of SERVICES) {
    if (!label.startsWith(service)) continue;
    secrets[`${service}_database_url`] = await urlFor(label, office.databaseUrlOf(service), network);
  }
  for (const [name, content] of Object.entries(secrets)) writeFileSync(join(folder, name), content);
  return folder;
}

/** The same URL by the way that one process takes to it. */
async function urlFor(label: string, url: string, network: Network): Promise<string> {
  const own = new URL(url);
  const [hostname = "", port = ""] = (await network.way(label, own.host)).split(":");
  return Object.assign(own, { hostname, port }).href;
}

/** A service's environment, with this machine's files and addresses for those of the containers. */
async function environmentOf(
  { label, service: { environment = {} } }: Container,
  network: Network,
  secrets: string,
): Promise<Record<string, string>> {
  const own: Record<string, string> = {};
  for (const [key, value] of Object.entries(environment)) {
    if (value.startsWith("/run/secrets/")) own[key] = join(secrets, value.slice("/run/secrets/".length));
    else if (key.endsWith("_ADDRESS")) own[key] = await everyAddress(label, value, network);
    // Clients of the proof say by X-Forwarded-For who they are, as if they came through a proxy of their own.
    else if (key === "TRUSTED_PROXIES") own[key] = `${value}, 127.0.0.1, ${network.range}`;
    else own[key] = value;
  }
  return own;
}

/** A container finds all replicas by the one name. */
async function everyAddress(label: string, value: string, network: Network): Promise<string> {
  const [name = "", port] = value.split(":");
  const ways = (network.addresses.get(name) ?? []).map((address) => network.way(label, `${address}:${port}`));
  return (await Promise.all(ways)).join(",");
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
  { label, name, address, service }: Container,
  env: Record<string, string>,
  preload: string | undefined,
): ProcessSpec {
  const { command, stop_grace_period = "10s" } = service;
  const [, ...args] = command;
  return {
    name: label,
    command: process.execPath,
    args: [...(preload === undefined ? [] : ["--import", preload]), ...args],
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
