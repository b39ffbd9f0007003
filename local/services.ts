import { join } from "node:path";
import { type LocalConfig, PROCESSES, type ProcessName, ROOT, SERVICES } from "./config.ts";
import type { ServiceDatabase } from "./databases.ts";
import type { ProcessSpec } from "./supervisor.ts";

const READY_WITHIN_MS = 60_000;
/** Longer than a process lets itself take to drain. */
const STOP_WITHIN_MS = 17_000;

/**
 * How to run the five processes of the box office. Each gets the address of the others, its own private key,
 * everybody's public keys, and no other service's database.
 */
export function serviceSpecs(
  config: LocalConfig,
  { databases, natsUrl, keysFolder }: { databases: ServiceDatabase[]; natsUrl: string; keysFolder: string },
): ProcessSpec[] {
  const common = {
    RATE_LIMIT_RPS: "0", // on one machine everybody has the same address
    GLIBC_TUNABLES: "glibc.malloc.mxfast=0", // as in the Dockerfile
    ...withoutDatabases(process.env),
    ...addresses(config),
    NATS_URL: natsUrl,
    JWKS_FILE: join(keysFolder, "jwks.json"),
  };
  return PROCESSES.map((name) => {
    const variable = name.toUpperCase();
    const database = databases.find(({ service }) => service === name);
    const folder = name === "gateway" ? "gateway" : join("services", name);
    return {
      name,
      command: process.execPath,
      args: [join(ROOT, folder, "main.ts")],
      env: withoutFilesFor({
        ...common,
        PRIVATE_KEY_FILE: join(keysFolder, `${name}.key`),
        [`${variable}_PORT`]: String(config.ports[name]),
        [`${variable}_ADMIN_PORT`]: String(config.adminPorts[name]),
        ...(database && { [`${variable}_DATABASE_URL`]: database.url }),
      }),
      cwd: ROOT,
      readyWhen: { ok: `http://127.0.0.1:${config.adminPorts[name]}/readyz` },
      readyWithinMs: READY_WITHIN_MS,
      stopSignal: "SIGTERM",
      stopWithinMs: STOP_WITHIN_MS,
      tier: name === "gateway" ? 3 : 2,
    };
  });
}

/** Where a process reaches another, or a person the gateway: an address to listen on may mean "all of them". */
export function reach(config: LocalConfig, name: ProcessName): string {
  const { listenHost } = config;
  const host = listenHost === "0.0.0.0" || listenHost === "::" ? "127.0.0.1" : listenHost;
  return `${host.includes(":") ? `[${host}]` : host}:${config.ports[name]}`;
}

function addresses(config: LocalConfig): Record<string, string> {
  return Object.fromEntries(SERVICES.map((name) => [`${name.toUpperCase()}_ADDRESS`, reach(config, name)]));
}

function withoutDatabases(env: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/(^|_)DATABASE_URL(_FILE)?$/.test(name)));
}

/** A setting that came to us in a file goes on as what it holds. */
function withoutFilesFor(env: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !name.endsWith("_FILE") || !(name.slice(0, -"_FILE".length) in env),
    ),
  );
}
