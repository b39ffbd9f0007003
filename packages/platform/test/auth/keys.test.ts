import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureKeys, JWKS_FILE, rotateKey } from "../../src/auth/keys.ts";
import { createTokenIssuer } from "../../src/auth/tokens.ts";

let folder: string;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "boxoffice-keys-")), "not-yet-there");
});

afterEach(() => rm(folder, { recursive: true }));

const keyIds = async (): Promise<string[]> => {
  const { keys } = JSON.parse(await readFile(join(folder, JWKS_FILE), "utf8")) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
};

test("nothing is written where nothing changes, and no temporary file stays", async () => {
  await ensureKeys(folder, ["catalog", "operator"]);
  const file = join(folder, JWKS_FILE);
  const before = await stat(file);
  expect(before.mode & 0o777).toBe(0o644);
  await ensureKeys(folder, ["catalog", "operator"]);
  expect((await stat(file)).ino).toBe(before.ino);
  expect((await readdir(folder)).sort()).toEqual(["catalog.key", "jwks.json", "operator.key"]);
});

test("a key that was deleted is replaced, and the old one counts no more", async () => {
  await ensureKeys(folder, ["catalog", "operator"]);
  const [catalog = "", operator = ""] = await keyIds();
  await rm(join(folder, "operator.key"));
  await ensureKeys(folder, ["operator"]);
  const after = await keyIds();
  expect(after).toHaveLength(2);
  expect(after).toContain(catalog);
  expect(after).not.toContain(operator);
});

test("a public file that is broken is written anew", async () => {
  await ensureKeys(folder, ["catalog"]);
  const before = await keyIds();
  await writeFile(join(folder, JWKS_FILE), "{ torn");
  await ensureKeys(folder, ["catalog"]);
  expect(await keyIds()).toEqual(before);
});

test("a private key that is broken is named and kept", async () => {
  await ensureKeys(folder, ["catalog"]);
  const keyFile = join(folder, "catalog.key");
  await writeFile(keyFile, "hunter2");
  const error = await ensureKeys(folder, ["catalog"]).catch(String);
  expect(error).toContain(keyFile);
  expect(error).not.toContain("hunter2");
  expect(await readFile(keyFile, "utf8")).toBe("hunter2");
  expect(() => createTokenIssuer({ role: "catalog", keyFile })).toThrow(keyFile);
});

test("a role that would lead out of the folder is refused", async () => {
  await ensureKeys(folder, []);
  await expect(ensureKeys(folder, ["../catalog"])).rejects.toThrow("../catalog");
});

test("a key that is rotated is known before it signs, and the old one until it is retired", async () => {
  await ensureKeys(folder, ["catalog", "operator"]);
  const before = await keyIds();
  const pem = await readFile(join(folder, "catalog.key"), "utf8");
  await rotateKey(folder, "catalog", async () => {
    expect(await readFile(join(folder, "catalog.key"), "utf8")).toBe(pem);
    expect(await keyIds()).toHaveLength(3);
  });
  expect(await readFile(join(folder, "catalog.key"), "utf8")).not.toBe(pem);
  expect(await keyIds()).toEqual(expect.arrayContaining(before));
  await ensureKeys(folder, ["catalog"]);
  const after = await keyIds();
  expect([after.length, before.filter((kid) => after.includes(kid)).length]).toEqual([2, 1]);
  expect((await readdir(folder)).sort()).toEqual(["catalog.key", "jwks.json", "operator.key"]);
});
