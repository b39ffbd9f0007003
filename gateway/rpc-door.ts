import type { IncomingMessage, ServerResponse } from "node:http";
import { toConnectError } from "@boxoffice/platform/errors.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import { type ConnectRouter, createConnectRouter, createContextValues } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { compressionGzip, universalRequestFromNodeRequest } from "@connectrpc/connect-node";
import { JSON_OPTIONS, sendError, sendErrorUnread } from "./answers.ts";
import { cacheControl } from "./cache-control.ts";
import { clampTimeout, MAX_TIMEOUT_MS } from "./clamp-timeout.ts";
import { FORWARDED } from "./forward.ts";
import { readBody } from "./read-body.ts";
import { explainRefusal, refusal } from "./refusal.ts";

/** Answers one request, whatever it holds. It never rejects. */
export type RpcListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The longest request that is read, compressed or not, in bytes. */
const MAX_REQUEST_BYTES = 64 * 1024;

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Serves methods by Connect (JSON and binary, GET where a method has no side effects) and gRPC-Web, over
 * HTTP/1.1. It stands in the place of `connectNodeAdapter`, which offers no way to tell caches what they may do
 * with an answer once it is known to be good, to shorten a timeout, or to explain what is wrong with a request
 * that is malformed.
 *
 * @returns a listener for the path of each method
 */
export function rpcListeners(routes: (router: ConnectRouter) => void, log: Logger): Map<string, RpcListener> {
  const router = createConnectRouter({
    grpc: false,
    readMaxBytes: MAX_REQUEST_BYTES,
    writeMaxBytes: MAX_ANSWER_BYTES,
    maxTimeoutMs: MAX_TIMEOUT_MS,
    acceptCompression: [compressionGzip],
    jsonOptions: JSON_OPTIONS,
  });
  routes(router);
  return new Map(router.handlers.map((handler) => [handler.requestPath, listenerFor(handler, log)]));
}

function listenerFor(handler: UniversalHandler, log: Logger): RpcListener {
  return async (request, response) => {
    try {
      await answer(handler, request, response);
    } catch (error) {
      if (request.destroyed) return; // the client is gone
      log.error({ method: handler.requestPath, error }, "a request could not be answered");
      sendError(response, toConnectError(error));
    }
  };
}

async function answer(
  handler: UniversalHandler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request, MAX_REQUEST_BYTES);
  if (body === "too large") {
    return sendErrorUnread(request, response, refusal(`a request has at most ${MAX_REQUEST_BYTES} bytes`));
  }
  const contextValues = createContextValues();
  const call = {
    ...universalRequestFromNodeRequest(request, response, undefined, contextValues),
    body: inOnePiece(body),
  };
  clampTimeout(call.header);
  const answered = await handler(call);
  if (answered.status !== 200 && !contextValues.get(FORWARDED)) {
    return explain(handler, answered, request, body, response);
  }
  if (answered.status === 200) response.setHeader("cache-control", cacheControl(handler.method, request));
  for (const [name, value] of answered.header ?? []) response.setHeader(name, value);
  response.statusCode = answered.status;
  response.end(await allOf(answered));
}

/** Connect refused the request by itself: it was malformed. */
async function explain(
  { method, allowedMethods }: UniversalHandler,
  answered: UniversalServerResponse,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  const { status } = answered;
  const message = messageOf(await allOf(answered));
  const error = explainRefusal({ method, status, message, json: jsonOf(request, body) });
  if (status === 405) response.setHeader("allow", allowedMethods.join(", "));
  sendError(response, error, status === 405 || status === 415 ? status : undefined);
}

/** The text of a request's message, where it was sent as JSON and is not compressed. */
function jsonOf({ method, url = "", headers }: IncomingMessage, body: Buffer): string | undefined {
  if (method === "GET") {
    const query = new URL(url, "http://gateway").searchParams;
    const isPlain = query.get("encoding") === "json" && !query.has("base64") && !query.has("compression");
    return isPlain ? (query.get("message") ?? "") : undefined;
  }
  const isPlain = (headers["content-encoding"] ?? "identity") === "identity";
  return isPlain && headers["content-type"]?.startsWith("application/json") ? body.toString() : undefined;
}

function messageOf(error: Buffer): string {
  try {
    return String(JSON.parse(error.toString()).message);
  } catch {
    return "";
  }
}

async function* inOnePiece(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

async function allOf({ body }: UniversalServerResponse): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}
