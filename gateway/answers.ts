import type { Http2ServerRequest } from "node:http2";
import type { ConnectError } from "@connectrpc/connect";
import { codeToHttpStatus, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import type { Exchange } from "./exchange.ts";

/** Writes what is 0, false or empty too: whoever reads `"available": 0` need not know that it could be left out. */
export const JSON_OPTIONS = { alwaysEmitImplicit: true, ignoreUnknownFields: true };

/** How long the rest of a request that is refused unread is taken in and thrown away, in milliseconds. */
const LINGER_MS = 500;

/**
 * Answers with an error as Connect's clients read it, which is plain JSON.
 *
 * @param status where HTTP has a better word for it than the error's code
 */
export function sendError(
  exchange: Exchange,
  error: ConnectError,
  status = codeToHttpStatus(error.code),
): void {
  if (exchange.isGone) return;
  if (exchange.isAnswered) return void exchange.response.destroy();
  const bytes = errorToJsonBytes(error, JSON_OPTIONS);
  exchange.send(status, ["content-type", "application/json", "content-length", String(bytes.length)], bytes);
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
  const bytes = errorToJsonBytes(error, JSON_OPTIONS);
  exchange
    .open(codeToHttpStatus(error.code), [
      "content-type",
      "application/json",
      "content-length",
      String(bytes.length),
    ])
    .write(bytes);
  const close = () => response.end();
  const limit = setTimeout(close, LINGER_MS);
  request.once("close", () => clearTimeout(limit));
  request.once("end", close);
  request.resume();
}
