/**
 * node local/bootstrap.mjs SCRIPT [ARGS...]     or     node local/bootstrap.mjs --bin NAME [ARGS...]
 *
 * What every npm script goes through, so that each works on a fresh clone with any Node from 18 on: it installs
 * the locked dependencies when they are missing or stale, then runs SCRIPT, or a command of
 * node_modules/.bin, with the Node 24 that is among them. It needs no dependency itself, and says whatever it
 * has to say on standard error, because standard output belongs to the script.
 */
import { spawn, spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { findNode, isInstalled, majorOf, markInstalled, WANTED_NODE } from "./installed.mjs";
import { tryLock } from "./process-lock.mjs";

const OLDEST_NODE = 18;
const INSTALL_WAIT_MS = 600_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));

await main(process.argv.slice(2));

async function main([first, ...rest]) {
  if (majorOf(process.version) < OLDEST_NODE) {
    return fail(`Boxoffice needs Node ${OLDEST_NODE} or newer to start; this is Node ${process.version}.`);
  }
  if (process.platform === "win32") return fail("Boxoffice runs on Linux and macOS; on Windows, use WSL.");
  if (!isInstalled(root)) await install();

  const node = findNode(root);
  if (node === undefined) {
    return fail(
      `Boxoffice runs with Node ${WANTED_NODE}, which its npm package "node" installs, but that package's install ` +
        `script did not run (--ignore-scripts?), and this is Node ${process.version}: run "npm rebuild node", ` +
        `or use Node ${WANTED_NODE}.`,
    );
  }
  const env = {
    ...process.env,
    PATH: [node.bin, join(root, "node_modules", ".bin"), process.env.PATH ?? ""].join(delimiter),
    BOXOFFICE_LAUNCHER: String(process.pid),
    // A process starts in half of the time when it need not compile again what an earlier one has compiled.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, "node_modules", ".cache", "node"),
  };
  const [name, ...args] = first === "--bin" ? rest : [];
  if (first === "--bin") return run(realpathSync(join(root, "node_modules", ".bin", name)), args, node, env);
  return run(join(root, first), rest, node, env);
}

async function install() {
  const lockFile = join(root, "node_modules.lock");
  const deadline = Date.now() + INSTALL_WAIT_MS;
  for (let told = false; ; ) {
    const lock = await tryLock(lockFile);
    if ("release" in lock) {
      const problem = isInstalled(root) ? undefined : npmCi();
      lock.release();
      if (problem !== undefined) fail(problem);
      return;
    }
    if (Date.now() > deadline)
      fail(`Process ${lock.heldBy} is installing dependencies here and does not end.`);
    if (!told) say(`Process ${lock.heldBy} is installing the dependencies; waiting for it.`);
    told = true;
    await delay(200);
  }
}

/** @returns what went wrong, if anything did */
function npmCi() {
  const started = Date.now();
  say("Installing the locked dependencies (npm ci) ...");
  const { status, error } = spawnSync(
    "npm",
    ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"],
    { cwd: root, stdio: ["ignore", 2, 2], env: { ...process.env, NODE_ENV: "development" } },
  );
  if (error !== undefined) return `npm could not be run: ${error.message}`;
  if (status !== 0) return "The dependencies could not be installed: npm says why above.";
  markInstalled(root);
  say(`Installed in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
  return undefined;
}

/**
 * Runs the script as a child that gets our signals, and ends as it ends. A terminal's Ctrl-C reaches the child
 * by itself. npm does not always pass on that it is told to stop, so its end counts as one.
 */
function run(script, args, node, env) {
  const child = spawn(node.node, [script, ...args], { stdio: "inherit", env });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  const npm = findNpm();
  if (npm !== undefined) {
    const watch = setInterval(() => {
      if (isAlive(npm)) return;
      clearInterval(watch);
      child.kill("SIGTERM");
    }, 500);
    watch.unref();
  }
  child.on("error", (error) => fail(`${node.node} could not be run: ${error.message}`));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

/** The npm that runs us, directly or through the shell it starts scripts with. */
function findNpm() {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const ask = (field, pid) =>
    spawnSync("ps", ["-o", `${field}=`, "-p", String(pid)], { encoding: "utf8" }).stdout?.trim() ?? "";
  const parent = process.ppid;
  if (!/(^|\/)-?(sh|dash|bash|ash|zsh|busybox)$/.test(ask("comm", parent))) return parent;
  return Number(ask("ppid", parent)) || parent;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function say(sentence) {
  process.stderr.write(`${sentence}\n`);
}

function fail(sentence) {
  say(sentence);
  process.exit(1);
}
