import { createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import type { Logger } from "../log.ts";

/** The public keys of a JWKS file, as they are now. */
export type KeyFile = {
  /** By key id. Another map after the file has changed. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Looks at the file if that was not done within the last second, and reads it again where it has changed. */
  refresh(): void;
};

const LOOK_EVERY_MS = 1000;

/**
 * Reads a JWKS file and follows its changes. One that becomes unreadable later leaves the keys as they were and
 * is logged, once.
 *
 * @throws when it cannot be read at first; the error names the file
 */
export function openKeyFile(file: string, log: Logger): KeyFile {
  let version = versionOf(file);
  let keys = readKeys(file);
  let lookedAtMs = Date.now();
  return {
    get keys() {
      return keys;
    },
    refresh() {
      if (Date.now() - lookedAtMs < LOOK_EVERY_MS) return;
      lookedAtMs = Date.now();
      const now = versionOf(file);
      if (now === version) return;
      version = now;
      try {
        keys = readKeys(file);
        log.info({ file, keys: keys.size }, "the public keys were read again");
      } catch (error) {
        log.error({ file, error }, "the public keys cannot be read; the old ones stay in use");
      }
    },
  };
}

const JWKS = z.object({
  keys: z.array(
    z.object({
      kty: z.literal("OKP"),
      crv: z.literal("Ed25519"),
      x: z.string(),
      kid: z.string().regex(/^[^/]+\/./),
    }),
  ),
});

function readKeys(file: string): ReadonlyMap<string, KeyObject> {
  try {
    const { keys } = JWKS.parse(JSON.parse(readFileSync(file, "utf8")));
    return new Map(keys.map(({ kid, ...key }) => [kid, createPublicKey({ key, format: "jwk" })]));
  } catch (cause) {
    throw new Error(`${file} is no JWKS of Ed25519 keys`, { cause });
  }
}

/** Changes whenever the file is written or replaced. */
function versionOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : "missing";
}
