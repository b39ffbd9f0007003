import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureKeys } from "@boxoffice/platform/auth/keys.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "./run.ts";

const MAIN = join(import.meta.dirname, "..", "main.ts");

let dataFolder: string;

beforeAll(async () => {
  dataFolder = mkdtempSync(join(tmpdir(), "boxoffice-op-"));
  await ensureKeys(join(dataFolder, "keys"), ["operator", "stats"]);
});

afterAll(() => rmSync(dataFolder, { recursive: true }));

const op = (...args: string[]) => run(args, { BOXOFFICE_DATA: dataFolder });

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

test("prints an operator's token and nothing else", () => {
  const args = ["token", "--role", "operator", "--subject", "ada", "--ttl", "60"];
  const env = { ...process.env, BOXOFFICE_DATA: dataFolder };
  const { stdout, stderr, status } = spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8", env });
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const claims = claimsOf(stdout);
  expect(claims).toMatchObject({ iss: "boxoffice", aud: "boxoffice", sub: "ada", role: "operator" });
  expect(claims.exp - claims.iat).toBe(60);
  expect([stderr, status]).toEqual(["", 0]);
});

test("a service's token is for the service it calls", async () => {
  const { stdout } = await op("token", "--role", "stats", "--audience", "catalog");
  expect(claimsOf(stdout)).toMatchObject({ aud: "catalog", role: "stats" });
});

test.each([
  [["token", "--ttl", "0"], "A whole number of seconds"],
  [["token", "--ttl", "1e3"], "A whole number of seconds"],
  [["token", "--role", "king"], "Allowed choices are operator"],
  [["token", "--role", "payment"], '"npm start" makes the keys'],
  [["tokens"], "unknown command"],
])("%j is refused with a sentence, and no token", async (args, message) => {
  const { stdout, stderr, status } = await op(...args);
  expect(stderr).toContain(message);
  expect([stdout, status]).toEqual(["", 1]);
});

test("every command and every group of commands has help, and those that ask the box office have --json", async () => {
  const { stdout } = await op("--help");
  const names = [...stdout.matchAll(/^ {2}([a-z]+)(?: |$)/gm)].map(([, name]) => name ?? "");
  expect(names).toEqual(expect.arrayContaining(["events", "recount", "audit", "stats", "token"]));
  for (const name of names.filter((one) => one !== "help")) {
    const { stdout: help, status } = await op(name, "--help");
    expect([status, help]).toEqual([0, expect.stringMatching(/--json|Commands:|\btoken\b/)]);
  }
});
