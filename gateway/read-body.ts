import type { IncomingMessage } from "node:http";

/**
 * Reads a request's body whole, as the requests of this API are small.
 *
 * @returns "too large" as soon as it is known to have more than `maxBytes`; what follows is not read
 * @throws when the client goes away in the middle
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | "too large"> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return "too large";
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop must not destroy the request: with it, the connection and our answer would be lost.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > maxBytes) return "too large";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
