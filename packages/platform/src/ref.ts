import { hash } from "node:crypto";

/**
 * The name by which events and logs speak of a reservation, whose id is its owner's secret: the first 16 bytes of
 * the SHA-256 of the id's text, in hex.
 */
export function refOf(id: string): string {
  return hash("sha256", id).slice(0, 32);
}
