import type { IncomingMessage, ServerResponse } from "node:http";
import type { ConnectError } from "@connectrpc/connect";
import { codeToHttpStatus, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";

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
  response: ServerResponse,
  error: ConnectError,
  status = codeToHttpStatus(error.code),
): void {
  if (response.headersSent) return void response.destroy();
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.end(errorToJsonBytes(error, JSON_OPTIONS));
}

/**
 * The same for a request whose body will not be read. The connection is closed, but not at once: a client that
 * is still sending would find it broken and never read the answer.
 */
export function sendErrorUnread(
  request: IncomingMessage,
  response: ServerResponse,
  error: ConnectError,
): void {
  response.statusCode = codeToHttpStatus(error.code);
  const bytes = errorToJsonBytes(error, JSON_OPTIONS);
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", bytes.length);
  response.setHeader("connection", "close");
  response.write(bytes);
  const close = () => response.end();
  const limit = setTimeout(close, LINGER_MS);
  request.once("close", () => clearTimeout(limit));
  request.once("end", close);
  request.resume();
}
