import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureKeys } from "@boxoffice/platform/auth/keys.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

const MAIN = join(import.meta.dirname, "..", "main.ts");

let dataFolder: string;

beforeAll(async () => {
  dataFolder = mkdtempSync(join(tmpdir(), "boxoffice-op-"));
  await ensureKeys(join(dataFolder, "keys"), ["operator", "stats"]);
});

afterAll(() => rmSync(dataFolder, { recursive: true }));

function op(...args: string[]) {
  const env = { ...process.env, BOXOFFICE_DATA: dataFolder };
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8", env });
}

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

test("prints an operator's token and nothing else", () => {
  const { stdout, stderr, status } = op("token", "--role", "operator", "--subject", "ada", "--ttl", "60");
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const claims = claimsOf(stdout);
  expect(claims).toMatchObject({ iss: "boxoffice", aud: "boxoffice", sub: "ada", role: "operator" });
  expect(claims.exp - claims.iat).toBe(60);
  expect([stderr, status]).toEqual(["", 0]);
});

test("a service's token is for the service it calls", () => {
  expect(claimsOf(op("token", "--role", "stats", "--audience", "catalog").stdout)).toMatchObject({
    aud: "catalog",
    role: "stats",
  });
});

test.each([
  [["token", "--ttl", "0"], "A whole number of seconds"],
  [["token", "--ttl", "1e3"], "A whole number of seconds"],
  [["token", "--role", "king"], "Allowed choices are operator"],
  [["token", "--role", "payment"], '"npm start" makes the keys'],
  [["tokens"], "unknown command"],
])("%j is refused with a sentence, and no token", (args, message) => {
  const { stdout, stderr, status } = op(...args);
  expect(stderr).toContain(message);
  expect([stdout, status]).toEqual(["", 1]);
});
