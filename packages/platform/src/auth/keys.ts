import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { calculateJwkThumbprint } from "jose";
import { v4 as uuidv4 } from "uuid";

/** Everybody's public keys, in the folder of the private ones. */
export const JWKS_FILE = "jwks.json";

/** In a folder of keys, where each may be alone for a container to see: a folder per role, and this one. */
const PUBLIC_FOLDER = "public";

/** Where a role's private key is: `<role>.key`, or `<role>/<role>.key` where there is such a folder. */
export function privateKeyPath(directory: string, role: string): string {
  const own = join(directory, role);
  return join(existsSync(own) ? own : directory, `${role}.key`);
}

function jwksPath(directory: string): string {
  const open = join(directory, PUBLIC_FOLDER);
  return join(existsSync(open) ? open : directory, JWKS_FILE);
}

/** Makes the folders that keep each role's key, and the public ones, apart from the others. */
export async function separateKeys(directory: string, roles: readonly string[]): Promise<void> {
  for (const name of [PUBLIC_FOLDER, ...roles]) await mkdir(join(directory, name), { recursive: true });
}

/** An Ed25519 public key as the JWKS file holds it. */
export type PublicJwk = { kty: "OKP"; crv: "Ed25519"; x: string; kid: string; alg: "EdDSA"; use: "sig" };

/**
 * Sees to it that `directory` holds a private key for each role (`<role>.key`: Ed25519, PKCS #8 PEM, mode 0600)
 * and `jwks.json` the public key of each (mode 0644). A key that exists is never overwritten. The JWKS keeps the
 * keys of roles that are not named; of a named one it holds what is in the folder, so that deleting a key file
 * and calling this again replaces the key.
 *
 * It may run twice at once, and be cut off anywhere: files appear whole or not at all.
 */
export async function ensureKeys(directory: string, roles: readonly string[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  const keys = await Promise.all(roles.map((role) => ensureKey(directory, role)));
  await keepJwks(jwksPath(directory), new Set(roles), keys);
}

/**
 * Replaces the private key of a role while processes run. The public file gets the new key beside the old one first;
 * the private one is replaced when `settled` resolves, by when whoever verifies has read the public file again. What
 * the old key signed stays good until {@link ensureKeys} takes it out.
 */
export async function rotateKey(
  directory: string,
  role: string,
  settled: () => Promise<void>,
): Promise<void> {
  const file = privateKeyPath(directory, role);
  parsePrivateKey(await readFile(file, "utf8"), file);
  const pem = newPrivateKey();
  const temporary = await writeTemporary(file, pem, 0o600);
  try {
    const { uid, gid } = await stat(file);
    if (process.getuid?.() === 0) await chown(temporary, uid, gid); // whoever reads the key goes on to
    await keepJwks(jwksPath(directory), new Set(), [await publicJwk(role, parsePrivateKey(pem, file))]);
    await settled();
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Reads `<role>.key`. Throws an error that names the file, never its content. */
export function parsePrivateKey(pem: string, file: string): KeyObject {
  const key = tryParse(pem);
  if (key?.asymmetricKeyType !== "ed25519") throw new Error(`${file} holds no Ed25519 private key in PEM`);
  return key;
}

/** The public half of a key, under the id by which it vouches for `role`, and only for it: `<role>/<thumbprint>`. */
export async function publicJwk(role: string, privateKey: KeyObject): Promise<PublicJwk> {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  if (x === undefined) throw new Error("an Ed25519 key has an x");
  const jwk = { kty: "OKP", crv: "Ed25519", x } as const;
  const thumbprint = await calculateJwkThumbprint(jwk);
  return { ...jwk, kid: `${role}/${thumbprint.slice(0, 16)}`, alg: "EdDSA", use: "sig" };
}

/** The role for which a key of the JWKS file vouches. */
export function roleOfKey(kid: string): string {
  return kid.slice(0, Math.max(0, kid.indexOf("/")));
}

async function ensureKey(directory: string, role: string): Promise<PublicJwk> {
  if (!/^[a-z][a-z0-9-]*$/.test(role)) throw new Error(`"${role}" is no name of a role`);
  const file = privateKeyPath(directory, role);
  const pem = (await readIfThere(file)) ?? (await createKey(file));
  return publicJwk(role, parsePrivateKey(pem, file));
}

/** Where somebody else creates the key at the same moment, theirs is taken: a link never replaces a file. */
async function createKey(file: string): Promise<string> {
  const temporary = await writeTemporary(file, newPrivateKey(), 0o600);
  try {
    await link(temporary, file);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  } finally {
    await rm(temporary);
  }
  return readFile(file, "utf8");
}

function newPrivateKey(): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  return privateKey.export({ format: "pem", type: "pkcs8" }).toString();
}

/** @param roles whose keys that are in the file go, unless they are among `keys` */
async function keepJwks(file: string, roles: Set<string>, keys: PublicJwk[]): Promise<void> {
  const before = await readIfThere(file);
  const others = keysIn(before).filter(({ kid }) => !roles.has(roleOfKey(kid)));
  const sorted = [...others, ...keys].sort((a, b) => (a.kid < b.kid ? -1 : 1));
  const after = `${JSON.stringify({ keys: sorted }, undefined, 2)}\n`;
  if (after !== before) await rename(await writeTemporary(file, after, 0o644), file);
}

/** What is no JWKS is replaced by one: the private keys are the source. */
function keysIn(jwks: string | undefined): { kid: string }[] {
  try {
    return JSON.parse(jwks ?? "").keys;
  } catch {
    return [];
  }
}

/** Flushed to the disk before it gets its name, so that a power cut leaves no empty key behind. */
async function writeTemporary(file: string, content: string, mode: number): Promise<string> {
  const temporary = `${file}.${uuidv4()}`;
  const handle = await open(temporary, "wx", mode);
  try {
    await handle.chmod(mode); // whatever the umask
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return temporary;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

function tryParse(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

const isErrno = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;
