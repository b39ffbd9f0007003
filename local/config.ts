import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError, readConfig, setting } from "@boxoffice/platform/config.ts";
import type { NamedPort } from "./ports.ts";

/** The services that own a schema, in the order in which they are migrated. */
export const SERVICES = ["catalog", "reservation", "payment", "stats"] as const;
export type Service = (typeof SERVICES)[number];

/** All processes of the box office. */
export const PROCESSES = [...SERVICES, "gateway"] as const;
export type ProcessName = (typeof PROCESSES)[number];

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What `npm start` and `npm run migrate` are told by the environment. */
export type LocalConfig = {
  dataFolder: string;
  /** The owner's URL, where PostgreSQL is not ours to run. */
  databaseUrl: string | undefined;
  natsUrl: string | undefined;
  /** Where a service shall connect to instead of where we would send it. */
  serviceDatabaseUrls: Partial<Record<Service, string>>;
  ports: Record<ProcessName, number>;
  adminPorts: Record<ProcessName, number>;
  listenHost: string;
};

/** @throws ConfigError that names each variable that is wrong */
export function readLocalConfig(env: Record<string, string | undefined> = process.env): LocalConfig {
  const port = (fallback: number) => setting.integer({ min: 1, max: 65_535, fallback });
  const database = () => setting.url("postgres:", "postgresql:").optional();
  const values = readConfig(
    {
      BOXOFFICE_DATA: setting.text().default(".data"),
      DATABASE_URL: database(),
      CATALOG_DATABASE_URL: database(),
      RESERVATION_DATABASE_URL: database(),
      PAYMENT_DATABASE_URL: database(),
      STATS_DATABASE_URL: database(),
      NATS_URL: setting.url("nats:", "tls:").optional(),
      GATEWAY_PORT: port(8080),
      CATALOG_PORT: port(50_051),
      RESERVATION_PORT: port(50_052),
      PAYMENT_PORT: port(50_053),
      STATS_PORT: port(50_054),
      GATEWAY_ADMIN_PORT: port(9150),
      CATALOG_ADMIN_PORT: port(9151),
      RESERVATION_ADMIN_PORT: port(9152),
      PAYMENT_ADMIN_PORT: port(9153),
      STATS_ADMIN_PORT: port(9154),
      LISTEN_HOST: setting.text().default("127.0.0.1"),
    },
    env,
  );
  const config: LocalConfig = {
    dataFolder: resolve(ROOT, values.BOXOFFICE_DATA),
    databaseUrl: values.DATABASE_URL,
    natsUrl: values.NATS_URL,
    serviceDatabaseUrls: withoutUndefined({
      catalog: values.CATALOG_DATABASE_URL,
      reservation: values.RESERVATION_DATABASE_URL,
      payment: values.PAYMENT_DATABASE_URL,
      stats: values.STATS_DATABASE_URL,
    }),
    ports: {
      catalog: values.CATALOG_PORT,
      reservation: values.RESERVATION_PORT,
      payment: values.PAYMENT_PORT,
      stats: values.STATS_PORT,
      gateway: values.GATEWAY_PORT,
    },
    adminPorts: {
      catalog: values.CATALOG_ADMIN_PORT,
      reservation: values.RESERVATION_ADMIN_PORT,
      payment: values.PAYMENT_ADMIN_PORT,
      stats: values.STATS_ADMIN_PORT,
      gateway: values.GATEWAY_ADMIN_PORT,
    },
    listenHost: values.LISTEN_HOST,
  };
  refuseSharedPorts(namedPorts(config));
  return config;
}

/** Every port that will be listened on. */
export function namedPorts(config: Pick<LocalConfig, "ports" | "adminPorts" | "listenHost">): NamedPort[] {
  return PROCESSES.flatMap((process) => [
    { variable: `${process.toUpperCase()}_PORT`, port: config.ports[process], host: config.listenHost },
    { variable: `${process.toUpperCase()}_ADMIN_PORT`, port: config.adminPorts[process], host: "127.0.0.1" },
  ]);
}

function refuseSharedPorts(ports: NamedPort[]): void {
  const seen = new Map<number, string>();
  for (const { variable, port } of ports) {
    const other = seen.get(port);
    if (other !== undefined)
      throw new ConfigError(`${other} and ${variable} are both ${port}: set one of them`);
    seen.set(port, variable);
  }
}

function withoutUndefined<Key extends string, Value>(
  values: Record<Key, Value | undefined>,
): Partial<Record<Key, Value>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<
    Record<Key, Value>
  >;
}
