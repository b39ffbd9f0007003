import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Logger } from "@boxoffice/platform/log.ts";
import type { DescMethod } from "@bufbuild/protobuf";
import {
  type ConnectRouter,
  createConnectRouter,
  createContextKey,
  createContextValues,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { compressionGzip, universalRequestFromNodeRequest } from "@connectrpc/connect-node";
import { sendError, sendErrorUnread } from "./answers.ts";
import { checkTimeout, clampTimeout, MAX_STREAM_MS } from "./clamp-timeout.ts";
import { envelope, messageIn } from "./envelope.ts";
import type { Exchange, FlatHeaders, Listener } from "./exchange.ts";
import { decode } from "./forward.ts";
import { JSON_OPTIONS } from "./json-options.ts";
import { ClientGoneError, MAX_REQUEST_BYTES, readBody } from "./read-body.ts";
import { refusal } from "./refusal.ts";
import { toShown } from "./shown-error.ts";
import { type Speech, speechOf } from "./speech.ts";

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** A client that takes nothing of a stream for this long is cut off, in milliseconds. */
const STALL_MS = 30_000;

/** Goes on with an answer whose head is written. */
export type TakeOver = (response: ServerResponse) => void;

/**
 * The exchange that a handler serves. A stream's handler may leave here what takes over once Connect has read the
 * request, and yield nothing: what many are told need not go through Connect for each of them.
 */
export const SERVED = createContextKey<{ exchange: Exchange; takeOver?: TakeOver } | undefined>(undefined);

/**
 * Serves methods with Connect's own router: gRPC-Web, and streams. It stands in the place of `connectNodeAdapter`,
 * which offers no way to shorten a timeout or to explain what is wrong with a request that is malformed, and dies
 * of a malformed host.
 *
 * @returns a listener for the path of each method
 */
export function routerListeners(
  routes: (router: ConnectRouter) => void,
  log: Logger,
): ReadonlyMap<string, Listener> {
  const router = createConnectRouter({
    grpc: false,
    readMaxBytes: MAX_REQUEST_BYTES,
    writeMaxBytes: MAX_ANSWER_BYTES,
    maxTimeoutMs: MAX_STREAM_MS,
    acceptCompression: [compressionGzip],
    jsonOptions: JSON_OPTIONS,
  });
  routes(router);
  return new Map(router.handlers.map((handler) => [handler.requestPath, listenerFor(handler, log)]));
}

function listenerFor(handler: UniversalHandler, log: Logger): Listener {
  return async (exchange) => {
    try {
      await answer(handler, exchange);
    } catch (error) {
      if (exchange.isGone || error instanceof ClientGoneError) return;
      sendError(exchange, toShown(error, handler.method, log, exchange.requestId));
    }
  };
}

async function answer(handler: UniversalHandler, exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const body = exchange.isRead ? Buffer.alloc(0) : await readBody(exchange);
  if (body === "too large") {
    return sendErrorUnread(exchange, refusal(`a request has at most ${MAX_REQUEST_BYTES} bytes`));
  }
  const speech = speechOf(exchange.header("content-type"));
  const read =
    speech && request.method === "POST" ? await readMessage(handler.method, exchange, body, speech) : body;
  const served: { exchange: Exchange; takeOver?: TakeOver } = { exchange };
  const contextValues = createContextValues().set(SERVED, served);
  const call = {
    ...universalRequestFromNodeRequest(request, response, undefined, contextValues),
    body: inOnePiece(read),
  };
  for (const name of COMPRESSION_HEADERS) call.header.delete(name);
  clampTimeout(call.header, handler.method);
  const answered = await handler(call);
  if (answered.status !== 200) return explain(handler, answered, exchange);
  if (served.takeOver === undefined) await sendStream(exchange, answered);
  else served.takeOver(openAnswer(exchange, answered));
}

const COMPRESSION_HEADERS = ["grpc-encoding", "connect-content-encoding"];

/**
 * Reads the message before Connect does, which would refuse a malformed one without a reason, or with what its parser
 * said.
 *
 * @returns the body as Connect reads it: the message in an envelope, not compressed
 * @throws BoxofficeError INVALID_REQUEST
 */
async function readMessage(
  { input }: DescMethod,
  exchange: Exchange,
  body: Buffer,
  { protocol, codec }: Speech,
): Promise<Buffer> {
  const isConnect = protocol === "connect";
  checkTimeout(exchange, isConnect ? "connect-timeout-ms" : "grpc-timeout");
  const compression = exchange.header(isConnect ? "connect-content-encoding" : "grpc-encoding");
  const message = await messageIn(body, compression);
  decode(input, message, codec);
  return envelope(0, message);
}

/** Connect refused the request by itself, before it looked at the message. */
function explain(
  { method, allowedMethods }: UniversalHandler,
  { status }: UniversalServerResponse,
  exchange: Exchange,
): void {
  const isWrongMethod = status === 405;
  if (isWrongMethod) exchange.add("allow", allowedMethods.join(", "));
  const types = isStream(method) ? "application/connect+json, application/connect+proto" : "application/json";
  const why = isWrongMethod
    ? `${method.name} is not called with this HTTP method`
    : `Content-Type must be one of ${types}, application/grpc-web+proto`;
  sendError(exchange, refusal(why), status);
}

const isStream = ({ methodKind }: DescMethod): boolean => methodKind !== "unary";

function openAnswer(exchange: Exchange, { status, header }: UniversalServerResponse): ServerResponse {
  return exchange.open(status, [...(header ?? [])].flat() as FlatHeaders);
}

/** Writes no faster than the client reads. */
async function sendStream(exchange: Exchange, answered: UniversalServerResponse): Promise<void> {
  const response = openAnswer(exchange, answered);
  const chunks = answered.body?.[Symbol.asyncIterator]();
  try {
    for (let next = await chunks?.next(); next && !next.done; next = await chunks?.next()) {
      if (exchange.isGone) return;
      const isRoomLeft = response.write(next.value);
      if (!isRoomLeft)
        await once(response, "drain", {
          signal: AbortSignal.any([exchange.signal, AbortSignal.timeout(STALL_MS)]),
        });
    }
    response.end();
  } catch {
    response.destroy(); // it went, or it does not read
  } finally {
    void chunks?.return?.().catch(() => undefined);
  }
}

async function* inOnePiece(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
