import { createHmac, type KeyObject } from "node:crypto";
import type { Fingerprint } from "./payment.ts";

/** What a buyer asks for. The token goes to the provider and nowhere else. */
export type Order = {
  reservationId: string;
  token: string;
  currencyCode: string;
  requestId: string | null;
};

/**
 * Recognises an order that comes again. Keyed, so that who reads the database cannot try tokens or cards on it.
 */
export function fingerprintOf(order: Order, key: KeyObject): Fingerprint {
  return {
    content: hmac(key, JSON.stringify(["content", order.reservationId, order.currencyCode])),
    token: hmac(key, JSON.stringify(["token", order.token])),
  };
}

const hmac = (key: KeyObject, text: string): string => createHmac("sha256", key).update(text).digest("hex");
