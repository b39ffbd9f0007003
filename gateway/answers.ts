import type { Http2ServerRequest } from "node:http2";
import type { ConnectError } from "@connectrpc/connect";
import { codeToHttpStatus, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import type { Exchange } from "./exchange.ts";
import { JSON_OPTIONS } from "./json-options.ts";
import { endOf, speechOf, typeOf } from "./speech.ts";

/** How long the rest of a request that is refused unread is taken in and thrown away, in milliseconds. */
const LINGER_MS = 500;

/**
 * Answers with an error, in the protocol of the request: as plain JSON, or, where answers are envelopes, in the last one.
 *
 * @param status where HTTP has a better word for it than the error's code: then it is JSON for everybody
 */
export function sendError(exchange: Exchange, error: ConnectError, status?: number): void {
  if (exchange.isGone) return;
  if (exchange.isAnswered) return void exchange.response.destroy();
  const answer = errorAnswer(exchange, error, status);
  exchange.send(answer.status, answer.headers, answer.bytes);
}

/**
 * The same for a request whose body will not be read. The connection is closed, but not at once: a client that
 * is still sending would find it broken and never read the answer. Over HTTP/2, only the stream is.
 */
export function sendErrorUnread(exchange: Exchange, error: ConnectError): void {
  const { request, response } = exchange;
  if (exchange.isHttp2) {
    sendError(exchange, error);
    const { stream } = request as unknown as Http2ServerRequest;
    response.once("finish", () => stream.close());
    return;
  }
  exchange.add("connection", "close");
  const answer = errorAnswer(exchange, error);
  exchange.open(answer.status, answer.headers).write(answer.bytes);
  const close = () => response.end();
  const limit = setTimeout(close, LINGER_MS);
  request.once("close", () => clearTimeout(limit));
  request.once("end", close);
  request.resume();
}

type ErrorAnswer = { status: number; headers: string[]; bytes: Uint8Array };

function errorAnswer(exchange: Exchange, error: ConnectError, status?: number): ErrorAnswer {
  const speech = status === undefined ? speechOf(exchange.header("content-type")) : undefined;
  const bytes = speech ? endOf(speech.protocol, error) : errorToJsonBytes(error, JSON_OPTIONS);
  const type = speech ? typeOf(speech) : "application/json";
  return {
    status: speech ? 200 : (status ?? codeToHttpStatus(error.code)),
    headers: ["content-type", type, "content-length", String(bytes.length)],
    bytes,
  };
}
