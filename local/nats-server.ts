import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

/** A nats-server that can be run: version 2.`minor`. */
export type NatsServer = { path: string; minor: number };

const OLDEST_MINOR = 9;

/**
 * Checksums as the official image of this version verifies them, and for macOS as two independent build
 * systems pin them: a release is only downloaded where its checksum is known.
 */
const RELEASE = "2.14.3";
const RELEASE_SHA256: Record<string, string> = {
  "linux-amd64": "f3d0c820c749f81d717310fb00d4903919e70e3e66b268bd352a088b9788eb93",
  "linux-arm64": "1759b6a0ddebade9471b7c02891dfaa8c73b526c6f3ce391d4e21ec3eceffab8",
  "darwin-arm64": "e086395457a7a93a440433a446c9f161f917d35c0374640555123e8d8d4b7fe9",
};

const DOWNLOAD_LIMIT_MS = 180_000;
const run = promisify(execFile);

type Environment = Record<string, string | undefined>;
type Tell = (line: string) => void;

/**
 * Finds a nats-server of version 2.9 or newer: the one NATS_SERVER_BIN names, one on PATH, the copy an earlier
 * start cached, the package of Debian or Ubuntu unpacked without installing it, or a release from GitHub.
 *
 * @throws Error with one sentence that says what to install
 */
export async function findNatsServer(env: Environment, tell: Tell): Promise<NatsServer> {
  const named = env.NATS_SERVER_BIN;
  if (named) {
    const server = await tryServer(named);
    if (server === undefined) {
      throw new Error(`NATS_SERVER_BIN must name a nats-server of version 2.${OLDEST_MINOR} or newer.`);
    }
    return server;
  }
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    const server = folder === "" ? undefined : await tryServer(join(folder, "nats-server"));
    if (server !== undefined) return server;
  }
  const cached = cachedPath(env);
  return (await tryServer(cached)) ?? (await fetchServer(cached, tell)) ?? giveUp();
}

/** Where the copy is kept that was fetched once. */
export function cachedPath(env: Environment): string {
  const cache = env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache");
  return join(cache, "boxoffice", `${process.platform}-${process.arch}`, "nats-server");
}

async function fetchServer(target: string, tell: Tell): Promise<NatsServer | undefined> {
  const sources = [
    { name: "the Debian or Ubuntu package", fetch: fromApt },
    { name: `release ${RELEASE} from GitHub`, fetch: fromGitHub },
  ];
  for (const { name, fetch } of sources) {
    const folder = mkdtempSync(join(tmpdir(), "boxoffice-nats-"));
    try {
      const started = Date.now();
      const binary = await fetch(folder);
      if (binary === undefined || (await tryServer(binary)) === undefined) continue;
      const server = await keep(binary, target);
      tell(`Fetched nats-server (${name}) in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
      return server;
    } catch {
      // The next source may do; if none does, the person is told what to install.
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return undefined;
}

/** Downloads and unpacks the package, as any user, with lists of its own where the machine's do not have it. */
async function fromApt(folder: string): Promise<string | undefined> {
  if (!existsSync("/usr/bin/apt-get") || !existsSync("/usr/bin/dpkg")) return undefined;
  const options = { cwd: folder, timeout: DOWNLOAD_LIMIT_MS };
  const common = ["-qq", ...setting("APT::Sandbox::User", "root"), ...setting("Acquire::Retries", "1")];
  const download = (...more: string[]) =>
    run("apt-get", [...common, ...more, "download", "nats-server"], options);
  try {
    await download();
  } catch {
    for (const name of ["lists/partial", "cache/archives/partial"])
      mkdirSync(join(folder, name), { recursive: true });
    const own = [
      ...setting("Dir::State::lists", join(folder, "lists")),
      ...setting("Dir::Cache", join(folder, "cache")),
      ...setting("Acquire::http::Timeout", "20"),
      ...setting("Acquire::https::Timeout", "20"),
    ];
    await run("apt-get", [...common, ...own, "update"], options);
    await download(...own);
  }
  const archive = readdirSync(folder).find((name) => name.endsWith(".deb"));
  if (archive === undefined) return undefined;
  await run("dpkg", ["-x", archive, "unpacked"], options);
  const places = ["usr/sbin/nats-server", "usr/bin/nats-server"].map((place) =>
    join(folder, "unpacked", place),
  );
  return places.find((place) => existsSync(place));
}

async function fromGitHub(folder: string): Promise<string | undefined> {
  const platform = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  const expected = RELEASE_SHA256[platform];
  if (expected === undefined) return undefined;
  const name = `nats-server-v${RELEASE}-${platform}`;
  const response = await fetch(
    `https://github.com/nats-io/nats-server/releases/download/v${RELEASE}/${name}.tar.gz`,
    { signal: AbortSignal.timeout(DOWNLOAD_LIMIT_MS) },
  );
  if (!response.ok) return undefined;
  const archive = new Uint8Array(await response.arrayBuffer());
  if (createHash("sha256").update(archive).digest("hex") !== expected) return undefined;
  writeFileSync(join(folder, "release.tar.gz"), archive);
  await run("tar", ["-xzf", "release.tar.gz"], { cwd: folder, timeout: DOWNLOAD_LIMIT_MS });
  return join(folder, name, "nats-server");
}

/** Copied under another name first: a start that is interrupted leaves no half of a program behind. */
async function keep(binary: string, target: string): Promise<NatsServer | undefined> {
  mkdirSync(dirname(target), { recursive: true });
  const fresh = `${target}.new-${process.pid}`;
  cpSync(binary, fresh);
  chmodSync(fresh, 0o755);
  renameSync(fresh, target);
  return tryServer(target);
}

async function tryServer(path: string): Promise<NatsServer | undefined> {
  if (!existsSync(path)) return undefined;
  const { stdout } = await run(path, ["--version"], { timeout: 10_000 }).catch(() => ({ stdout: "" }));
  const [, major, minor] = /v(\d+)\.(\d+)\./.exec(stdout) ?? [];
  return major === "2" && Number(minor) >= OLDEST_MINOR ? { path, minor: Number(minor) } : undefined;
}

function setting(name: string, value: string): string[] {
  return ["-o", `${name}=${value}`];
}

function giveUp(): never {
  throw new Error(
    `Boxoffice needs nats-server 2.${OLDEST_MINOR} or newer and could not fetch it: install it ("apt-get install ` +
      `nats-server", "brew install nats-server", or https://github.com/nats-io/nats-server/releases), or set ` +
      "NATS_SERVER_BIN to one, or NATS_URL to a server that runs.",
  );
}
