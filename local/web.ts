import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ROOT } from "./config.ts";
import { tryLock } from "./process-lock.mjs";

const WEB = join(ROOT, "web");
const BUILT = join(WEB, "dist");

/** Names what {@link BUILT} was made of. */
const MARKER = join(WEB, "built-from");

/** What the pages are made of. */
const SOURCES = ["package-lock.json", "proto/gen", "web/index.html", "web/vite.config.ts", "web/src"];

const WAIT_MS = 120_000;

/**
 * Builds the pages where they have not been built from what is here now. Starts that come together wait for one
 * build.
 *
 * @throws Error with what the build said, where it fails
 */
export async function ensurePages(tell: (line: string) => void): Promise<void> {
  const wanted = fingerprint();
  for (const deadline = Date.now() + WAIT_MS; !isBuilt(wanted); ) {
    const lock = await tryLock(join(WEB, "build.lock"));
    if ("release" in lock) {
      try {
        if (!isBuilt(wanted)) await build(wanted, tell);
      } finally {
        lock.release();
      }
    } else if (Date.now() > deadline) {
      throw new Error(`Process ${lock.heldBy} is building the web pages and does not end.`);
    } else {
      await delay(100);
    }
  }
}

function isBuilt(wanted: string): boolean {
  return (
    existsSync(join(BUILT, "index.html")) && existsSync(MARKER) && readFileSync(MARKER, "utf8") === wanted
  );
}

/** A gateway that starts meanwhile finds the old pages or the new ones, whole. */
async function build(wanted: string, tell: (line: string) => void): Promise<void> {
  const startedAt = Date.now();
  tell("Building the web pages ...");
  const fresh = `${BUILT}.new`;
  await runVite(["build", WEB, "--outDir", fresh, "--emptyOutDir", "--logLevel", "warn"]);
  rmSync(MARKER, { force: true });
  rmSync(BUILT, { recursive: true, force: true });
  renameSync(fresh, BUILT);
  writeFileSync(MARKER, wanted);
  tell(`Built the web pages in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`);
}

function runVite(args: string[]): Promise<void> {
  const vite = join(ROOT, "node_modules", "vite", "bin", "vite.js");
  const child = spawn(process.execPath, [vite, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => said.push(text));
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`The web pages cannot be built:\n${said.join("").trim()}`));
    });
  });
}

function fingerprint(): string {
  const hash = createHash("sha256");
  for (const file of SOURCES.flatMap((source) => filesOf(join(ROOT, source)))) {
    hash.update(`${relative(ROOT, file)}\n`).update(readFileSync(file));
  }
  return hash.digest("hex");
}

/** A file itself, or all files of a folder, in an order that is always the same. */
function filesOf(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  const names = readdirSync(path, { recursive: true, encoding: "utf8" });
  return names
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile())
    .sort();
}
