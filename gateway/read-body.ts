import type { IncomingMessage } from "node:http";
import type { Exchange } from "./exchange.ts";

/** The longest request that is read, compressed or not, in bytes. */
export const MAX_REQUEST_BYTES = 64 * 1024;

/** How long a request may take to arrive, in milliseconds. */
const MAX_BODY_MS = 20_000;

/** The client went away in the middle of its request. */
export class ClientGoneError extends Error {
  override readonly name = "ClientGoneError";
}

/**
 * Reads a request's body whole, as the requests of this API are small. It stands on events: an async iterator
 * would cost more than all the rest of the reading.
 *
 * @returns "too large" as soon as it is known to have more than {@link MAX_REQUEST_BYTES}; what follows is not read
 * @throws ClientGoneError
 */
export function readBody({ request, isHttp2 }: Exchange): Promise<Buffer | "too large"> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"] ?? 0) > MAX_REQUEST_BYTES) return resolve("too large");
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_REQUEST_BYTES) {
        request.off("data", onData);
        request.pause();
        resolve("too large");
      } else chunks.push(chunk);
    };
    request.on("data", onData);
    let isWhole = false;
    const onGone = () => {
      if (!isWhole) reject(new ClientGoneError());
    };
    request.on("end", () => {
      isWhole = true;
      resolve(joined(chunks, length));
    });
    if (isHttp2) limitTime(request); // of HTTP/1.1, node:http sees to it
    request.on("error", onGone);
    request.on("close", onGone);
  });
}

function limitTime(request: IncomingMessage): void {
  const limit = setTimeout(() => request.destroy(), MAX_BODY_MS);
  const done = () => clearTimeout(limit);
  request.once("end", done);
  request.once("close", done);
}

/** Most requests come in one piece, which need not be copied. */
function joined(chunks: Buffer[], length: number): Buffer {
  const [first] = chunks;
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, length);
}
