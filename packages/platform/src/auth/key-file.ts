import { createPublicKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { type FollowedFile, followFile } from "../followed-file.ts";
import type { Logger } from "../log.ts";

/** Public keys by their ids. */
export type PublicKeys = ReadonlyMap<string, KeyObject>;

/**
 * Reads a JWKS file and follows its changes.
 *
 * @throws when it cannot be read at first; the error names the file
 */
export function openKeyFile(file: string, log: Logger): FollowedFile<PublicKeys> {
  return followFile({ file, parse: (text) => parseKeys(text, file), what: "the file of public keys", log });
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

function parseKeys(text: string, file: string): PublicKeys {
  try {
    const { keys } = JWKS.parse(JSON.parse(text));
    return new Map(keys.map(({ kid, ...key }) => [kid, createPublicKey({ key, format: "jwk" })]));
  } catch (cause) {
    throw new Error(`${file} is no JWKS of Ed25519 keys`, { cause });
  }
}
