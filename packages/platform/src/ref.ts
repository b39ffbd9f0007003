import { createHash } from "node:crypto";

/**
 * The name by which events and logs speak of a reservation, whose id is its owner's secret: the first 16 bytes of
 * the SHA-256 of the id's text, in hex.
 */
export function refOf(id: string): string {
  return createHash("sha256").update(id).digest("hex").slice(0, 32);
}
