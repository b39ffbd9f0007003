import { createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";

/**
 * The key under which orders are recognised again. All replicas need the same: with another one, an order that
 * comes again looks like another order with the same request id.
 *
 * @param secret the setting TOKEN_HMAC_KEY; without it the key is derived from the process's private key
 */
export function readHmacKey(secret: string | undefined, privateKeyFile: string): KeyObject {
  const material = secret ?? readFileSync(privateKeyFile);
  return createSecretKey(Buffer.from(hkdfSync("sha256", material, "", "boxoffice payment orders", 32)));
}
