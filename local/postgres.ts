import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Account } from "./account.ts";
import { accountFor, reachableBinaries, reachableFolder } from "./postgres-place.ts";
import { describeProcess } from "./process-lock.mjs";
import { commandOf, endProcess } from "./processes.ts";
import type { ProcessSpec, Supervisor } from "./supervisor.ts";

const OWNER = "boxoffice";
const DATABASE = "boxoffice";

/** The PostgreSQL that the npm package ships. */
const MAJOR = "18";
const STOP_WITHIN_MS = 10_000;

export type PostgresOptions = {
  /** Where the cluster shall be. */
  folder: string;
  port: number;
  /** The password of the superuser `boxoffice`. It is set when the cluster is made. */
  password: string;
  /** Whether what was committed must survive a power cut. Tests do without. */
  durable: boolean;
  /** Runs what it takes to make a cluster. */
  supervisor: Supervisor;
  tell: (line: string) => void;
};

export type Postgres = {
  spec: ProcessSpec;
  /** The superuser's URL. */
  ownerUrl: string;
  /** Where the cluster really is. */
  folder: string;
};

/**
 * Makes a cluster where there is none yet, ends a server that an earlier start left running on it, and tells
 * how to run it. PostgreSQL refuses to run as root: then it runs as the user `postgres` or `nobody`, and what
 * that user cannot reach moves to /var/lib/boxoffice.
 */
export async function preparePostgres(options: PostgresOptions): Promise<Postgres> {
  const { port, password, durable, tell } = options;
  const account = accountFor(options.folder);
  const folder = reachableFolder(options.folder, account, tell);
  const binaries = reachableBinaries(account, tell);

  checkVersion(folder);
  await endLeftover(folder);
  if (!existsSync(join(folder, "PG_VERSION"))) await makeCluster(folder, binaries, account, options);
  const settings = durable ? SETTINGS : { ...SETTINGS, ...FAST_SETTINGS };
  return {
    folder,
    ownerUrl: `postgresql://${OWNER}:${password}@127.0.0.1:${port}/${DATABASE}`,
    spec: {
      name: "postgres",
      command: join(binaries, "postgres"),
      args: ["-D", folder, ...flags({ ...settings, port: String(port) })],
      env: cleanEnvironment(),
      cwd: "/",
      ...(account && { account }),
      readyWhen: { logged: "database system is ready to accept connections" },
      readyWithinMs: 60_000, // recovering after a power cut may take a while
      stopSignal: "SIGINT", // fast shutdown: open transactions are rolled back
      stopWithinMs: STOP_WITHIN_MS,
      tier: 0,
    },
  };
}

const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
  shared_buffers: "1GB", // taken as it is used: a small sale never fills it
  max_wal_size: "2GB",
  min_wal_size: "1GB", // kept to be used again: while a new file of 16 MB is made, no commit is answered
  timezone: "UTC",
  log_timezone: "UTC",
  log_min_messages: "warning",
  fsync: "on",
  synchronous_commit: "on",
};

const FAST_SETTINGS = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  autovacuum_naptime: "10s",
};

function flags(settings: Record<string, string>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** Made under another name and renamed when complete: one that was interrupted is never mistaken for whole. */
async function makeCluster(
  folder: string,
  binaries: string,
  account: Account | undefined,
  { password, durable, supervisor }: PostgresOptions,
): Promise<void> {
  const parent = dirname(folder);
  for (const name of readdirSync(parent)) {
    if (name.startsWith(`${basename(folder)}.new`))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
  const fresh = `${folder}.new`;
  const passwordFile = `${folder}.new-password`;
  writeFileSync(passwordFile, password, { mode: 0o600 });
  mkdirSync(fresh, { mode: 0o700 });
  if (account !== undefined) {
    for (const path of [fresh, passwordFile]) chownSync(path, account.uid, account.gid);
  }
  const authentication = ["--auth=scram-sha-256", `--username=${OWNER}`, `--pwfile=${passwordFile}`];
  const text = [
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
  ];
  const speed = durable ? [] : ["--no-sync"];
  const common = { cwd: "/", env: cleanEnvironment(), ...(account && { account }) };
  await supervisor.runTool({
    ...common,
    name: "initdb",
    command: join(binaries, "initdb"),
    args: ["-D", fresh, ...authentication, ...text, ...speed],
  });
  rmSync(passwordFile);
  // In single-user mode, so that nobody ever meets a cluster without its database.
  await supervisor.runTool({
    ...common,
    name: "postgres --single",
    command: join(binaries, "postgres"),
    args: ["--single", "-D", fresh, "-c", `fsync=${durable ? "on" : "off"}`, "postgres"],
    input: `CREATE DATABASE ${DATABASE}\n`,
  });
  renameSync(fresh, folder);
}

/**
 * A server that still runs on the cluster is ended. A pid file that names some other process, which got the
 * same id after a power cut, is removed, because PostgreSQL would refuse to start; any other stale pid file it
 * handles by itself.
 */
async function endLeftover(folder: string): Promise<void> {
  const pidFile = join(folder, "postmaster.pid");
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
  if (!(pid > 0) || describeProcess(pid) === undefined) return;
  const command = commandOf(pid);
  if (command.includes("postgres") && command.includes(folder))
    await endProcess(pid, "SIGINT", STOP_WITHIN_MS);
  else rmSync(pidFile, { force: true });
}

function checkVersion(folder: string): void {
  if (!existsSync(join(folder, "PG_VERSION"))) return;
  const version = readFileSync(join(folder, "PG_VERSION"), "utf8").trim();
  if (version === MAJOR) return;
  throw new Error(
    `${folder} was made by PostgreSQL ${version}, and this is ${MAJOR}: move it away, or set BOXOFFICE_DATA.`,
  );
}

/** PostgreSQL reads PG* variables, which may be meant for another server. */
function cleanEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PG")));
}
