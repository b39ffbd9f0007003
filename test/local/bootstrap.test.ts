import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { findNode, isInstalled, markInstalled } from "../../local/installed.mjs";
import { describeProcess, tryLock } from "../../local/process-lock.mjs";
import { temporaryFolder } from "./support.ts";

const HERE = "linux-x64";
const LEFT_PAD = { version: "1.3.0", integrity: "sha512-a" };
const NATIVE = { version: "1.0.0", integrity: "sha512-b", optional: true, os: ["linux"], cpu: ["x64"] };
const FOREIGN = { version: "1.0.0", integrity: "sha512-c", optional: true, os: ["darwin"], cpu: ["arm64"] };
const LOCKED = {
  "": {},
  "node_modules/left-pad": LEFT_PAD,
  "node_modules/native": NATIVE,
  "node_modules/foreign": FOREIGN,
};

test("what was installed counts until the lockfile or the platform changes", () => {
  const folder = temporaryFolder();
  lockfile(folder, LOCKED);
  expect(isInstalled(folder, HERE)).toBe(false);
  markInstalled(folder, HERE);
  expect(isInstalled(folder, HERE)).toBe(true);
  expect(isInstalled(folder, "darwin-arm64")).toBe(false);
  lockfile(folder, { ...LOCKED, "node_modules/left-pad": { ...LEFT_PAD, version: "1.3.1" } });
  expect(isInstalled(folder, HERE)).toBe(false);
});

test.each([
  ["everything", { "node_modules/left-pad": LEFT_PAD, "node_modules/native": NATIVE }, true],
  ["not what this platform needs", { "node_modules/left-pad": LEFT_PAD }, false],
  [
    "another version",
    { "node_modules/left-pad": { ...LEFT_PAD, version: "1.2.0" }, "node_modules/native": NATIVE },
    false,
  ],
  [
    "something that is not locked",
    { "node_modules/left-pad": LEFT_PAD, "node_modules/native": NATIVE, "node_modules/x": LEFT_PAD },
    false,
  ],
  ["nothing", {}, false],
])("after npm install by hand, having %s", (_what, packages, expected) => {
  const folder = temporaryFolder();
  lockfile(folder, LOCKED);
  mkdirSync(join(folder, "node_modules"));
  writeFileSync(join(folder, "node_modules", ".package-lock.json"), JSON.stringify({ packages }));
  expect(isInstalled(folder, HERE)).toBe(expected);
});

test("Node 24 is taken from its package, else from its platform package, else from who runs us", () => {
  const folder = temporaryFolder();
  const old = fakeNode(join(folder, "old", "node"), "v20.1.0");
  const recent = fakeNode(join(folder, "recent", "node"), "v24.2.0");
  expect(findNode(folder, old)).toBeUndefined();
  expect(findNode(folder, recent)).toEqual({ bin: dirname(recent), node: recent, version: "v24.2.0" });
  const platform = `${process.platform}-${process.arch}`;
  const behind = fakeNode(join(folder, "node_modules", `node-${platform}`, "bin", "node"), "v24.21.0");
  expect(findNode(folder, old)?.node).toBe(behind);
  const own = fakeNode(join(folder, "node_modules", "node", "bin", "node"), "v24.21.0");
  expect(findNode(folder, old)?.node).toBe(own);
});

test("a lock is held by one, and by nobody once its holder is dead", async () => {
  const file = join(temporaryFolder(), "lock");
  const lock = await tryLock(file);
  expect(lock).toHaveProperty("release");
  expect(await tryLock(file)).toEqual({ heldBy: process.pid });
  if ("release" in lock) lock.release();
  // The id of a living process, but of one that began at another time: after a power cut ids are given anew.
  writeFileSync(file, JSON.stringify({ ...describeProcess(process.pid), began: "before the power cut" }));
  expect(await tryLock(file)).toHaveProperty("release");
});

test("of many that find a dead holder's lock, one at a time takes it", { timeout: 30_000 }, async () => {
  const folder = temporaryFolder();
  const file = join(folder, "lock");
  const log = join(folder, "log");
  writeFileSync(file, JSON.stringify({ pid: 1, began: "never" }));
  writeFileSync(log, "");
  const script = join(import.meta.dirname, "fixtures", "lock.mjs");
  const contenders = Array.from({ length: 6 }, () =>
    spawn(process.execPath, [script, file, log], { stdio: "inherit" }),
  );
  expect(await Promise.all(contenders.map(exitCode))).toEqual([0, 0, 0, 0, 0, 0]);
  const lines = readFileSync(log, "utf8").trim().split("\n");
  expect(lines).toHaveLength(12);
  for (let index = 0; index < lines.length; index += 2) {
    expect([lines[index], lines[index + 1]]).toEqual([
      lines[index],
      lines[index]?.replace("takes", "leaves"),
    ]);
  }
});

test.each([
  ["its exit code", "process.exit(7)", undefined, 7],
  [
    "its signal, passed on",
    'process.on("SIGTERM", () => process.exit(9)); console.log("up"); setInterval(() => {}, 1000)',
    "SIGTERM",
    9,
  ],
  ["a signal it dies of", 'console.log("up"); setInterval(() => {}, 1000)', "SIGTERM", 143],
] as const)("the bootstrap ends as its script ends: %s", async (_what, code, signal, expected) => {
  const root = join(import.meta.dirname, "..", "..");
  const script = join(temporaryFolder(), "script.mjs");
  writeFileSync(script, code);
  const fromRoot = `..${"/..".repeat(root.split("/").length)}${script}`;
  const child = spawn(process.execPath, [join(root, "local", "bootstrap.mjs"), fromRoot], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (signal !== undefined) {
    await once(child.stdout, "data");
    child.kill(signal);
  }
  expect(await exitCode(child)).toBe(expected);
});

function lockfile(folder: string, packages: Record<string, unknown>): void {
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages }));
}

function fakeNode(path: string, version: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho ${version}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, "exit");
  return child.exitCode;
}
