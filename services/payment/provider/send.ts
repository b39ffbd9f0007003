import { type Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { NotSentError } from "./port.ts";

export type Sending = {
  method: "GET" | "POST";
  /** Below the base. */
  path: string;
  headers?: Record<string, string>;
  body?: Record<string, unknown>;
  signal: AbortSignal;
};

export type Answer = { status: number; body: Record<string, unknown> };

/** How long it may take until there is a connection, in milliseconds. */
const CONNECT_MS = 3_000;

const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Sends one request with JSON, and reads its answer. It is never sent a second time.
 *
 * @throws NotSentError where not a byte of it has left: no connection, or no trusted one. After the first byte it
 *   throws whatever happened, and nobody knows what the other side has done.
 */
export function send(base: URL, agent: Agent, sending: Sending): Promise<Answer> {
  const { method, path, headers, signal } = sending;
  const body = sending.body && JSON.stringify(sending.body);
  const isSecure = base.protocol === "https:";
  return new Promise((resolve, reject) => {
    const request = (isSecure ? httpsRequest : httpRequest)(new URL(path, base), {
      method,
      agent,
      signal,
      headers: {
        ...headers,
        ...(body && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      },
    });
    const connection = watchConnection(request, isSecure);
    request.on("error", (error) => {
      reject(connection.isMade ? error : new NotSentError("no connection to the provider", { cause: error }));
    });
    request.on("response", (response) => void read(response).then(resolve, reject));
    request.end(body);
  });
}

/**
 * Node writes the request when the connection is there, and with TLS when it is trusted: until then no byte has left.
 * A connection that was kept is there from the beginning.
 */
function watchConnection(request: ClientRequest, isSecure: boolean): { isMade: boolean } {
  const connection = { isMade: false };
  const limit = setTimeout(() => request.destroy(new Error("connecting took too long")), CONNECT_MS);
  const made = () => {
    clearTimeout(limit);
    connection.isMade = true;
  };
  request.on("socket", (socket) => {
    if (request.reusedSocket) made();
    else socket.once(isSecure ? "secureConnect" : "connect", made);
  });
  request.on("close", () => clearTimeout(limit));
  return connection;
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error("the answer is too long"); // which ends the connection
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString()) };
}

/** What is no JSON object says nothing. */
function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
