import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureKeys, JWKS_FILE } from "../../src/auth/keys.ts";
import { ISSUER, mintToken } from "../../src/auth/tokens.ts";

const ROLES = ["catalog", "gateway", "operator"];

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "boxoffice-keys-"));
});

afterEach(() => rm(folder, { recursive: true }));

const readJwks = async (): Promise<JSONWebKeySet> =>
  JSON.parse(await readFile(join(folder, JWKS_FILE), "utf8"));

const mint = (role: string, audience?: string) =>
  mintToken({
    privateKeyFile: join(folder, `${role}.key`),
    role,
    subject: "somebody",
    ttlSeconds: 60,
    ...(audience && { audience }),
  });

test("private keys are their owner's alone, and the public file holds no private part", async () => {
  await ensureKeys(folder, ROLES);
  for (const role of ROLES) expect((await stat(join(folder, `${role}.key`))).mode & 0o777).toBe(0o600);
  const { keys } = await readJwks();
  expect(keys.map(({ kid }) => kid?.split("/")[0]).sort()).toEqual(ROLES);
  for (const key of keys) expect(key).not.toHaveProperty("d");
});

test("making the keys again, and twice at once, changes none", async () => {
  await Promise.all([ensureKeys(folder, ROLES), ensureKeys(folder, ROLES)]);
  await ensureKeys(folder, ROLES);
  const before = await readJwks();
  await ensureKeys(folder, [...ROLES, "stats"]);
  const after = await readJwks();
  expect(after.keys).toEqual(expect.arrayContaining(before.keys));
  expect(after.keys).toHaveLength(4);
});

test("a token names its role, subject and audience, and verifies with the public file alone", async () => {
  await ensureKeys(folder, ROLES);
  const keys = createLocalJWKSet(await readJwks());
  const { payload, protectedHeader } = await jwtVerify(await mint("operator"), keys, {
    issuer: ISSUER,
    audience: ISSUER,
    algorithms: ["EdDSA"],
  });
  expect(payload).toMatchObject({ sub: "somebody", role: "operator" });
  expect(Number(payload.exp) - Number(payload.iat)).toBe(60);
  expect(protectedHeader.kid).toMatch(/^operator\//);
  await expect(jwtVerify(await mint("gateway", "stats"), keys, { audience: ISSUER })).rejects.toThrow("aud");
});
