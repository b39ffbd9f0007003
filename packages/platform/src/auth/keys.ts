import { createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { calculateJwkThumbprint, exportJWK, type JWK } from "jose";

/** The file of everyone's public keys, in the keys folder. */
export const JWKS_FILE_NAME = "jwks.json";

/**
 * Makes, where they are missing, an Ed25519 key pair per role in `folder`: the private key in `<role>.key`
 * (PKCS #8 PEM, readable by its owner only), all public keys together in `jwks.json`. An existing private key is
 * never replaced. Keys in the file that belong to no private key here stay: they may be a rotation's.
 */
export async function ensureKeys(folder: string, roles: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const own = await Promise.all(roles.map((role) => ensureKey(folder, role)));
  const file = join(folder, JWKS_FILE_NAME);
  const known = await readKeys(file);
  const missing = own.filter((key) => !known.some(({ kid }) => kid === key.kid));
  if (missing.length > 0)
    await writeAtomically(file, JSON.stringify({ keys: [...known, ...missing] }, null, 2));
}

/**
 * The id of a key: the role it vouches for and its RFC 7638 thumbprint, `catalog/…`. A token is believed only
 * in the role of the key that signed it, so that no service can mint another's tokens.
 */
export async function keyId(role: string, publicKey: JWK): Promise<string> {
  return `${role}/${await calculateJwkThumbprint(publicKey)}`;
}

async function ensureKey(folder: string, role: string): Promise<JWK> {
  const file = join(folder, `${role}.key`);
  const publicKey = createPublicKey(await readOrCreatePrivateKey(file));
  const jwk = await exportJWK(publicKey);
  return { ...jwk, kid: await keyId(role, jwk), alg: "EdDSA", use: "sig" };
}

/** `link` fails where the file exists: of two processes that create the same key at once, both use the first. */
async function readOrCreatePrivateKey(file: string): Promise<string> {
  const existing = await readIfThere(file);
  if (existing !== undefined) return existing;
  const pem = exportPem(generateKeyPairSync("ed25519").privateKey);
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, pem, { mode: 0o600 });
  try {
    await link(temporary, file);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    await rm(temporary);
  }
  return await readFile(file, "utf8");
}

async function readKeys(file: string): Promise<JWK[]> {
  const text = await readIfThere(file);
  return text === undefined ? [] : (JSON.parse(text) as { keys: JWK[] }).keys;
}

async function writeAtomically(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, text, { mode: 0o644 });
  await rename(temporary, file);
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

const exportPem = (key: KeyObject): string => key.export({ format: "pem", type: "pkcs8" }).toString();

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;
