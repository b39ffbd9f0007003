import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Logger } from "@boxoffice/platform/log.ts";
import { activeTraceparent, isTracing, traced } from "@boxoffice/platform/tracing.ts";
import type { DescMethodUnary } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { sendError, sendErrorUnread } from "./answers.ts";
import { type Call, DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS, timeIsOver } from "./call.ts";
import { accepts } from "./content-coding.ts";
import { checkCompression, decompress } from "./decompress.ts";
import type { Exchange, Listener } from "./exchange.ts";
import { ClientGoneError, MAX_REQUEST_BYTES, readBody } from "./read-body.ts";
import { malformed, refusal } from "./refusal.ts";
import { toShown } from "./shown-error.ts";

/** How messages are written: as JSON, or in protobuf's binary format. */
export type Codec = "json" | "proto";

/**
 * Answers a message in the encoding in which it came. What it throws is shown to the client.
 */
export type Answerer = (message: Buffer, codec: Codec, call: Call) => Promise<Uint8Array | string>;

/** Shorter answers are sent as they are: compressing them would cost more than it saves. */
const COMPRESS_FROM_BYTES = 1024;

/**
 * Serves one method by the Connect protocol for unary calls: JSON and binary, POST, and GET where the method has no
 * side effects. It stands in the place of Connect's own handler, which does the same on top of the Fetch API's
 * requests and headers at three times the cost; a test compares the two over good and bad requests.
 */
export function unaryListener(method: DescMethodUnary, answer: Answerer, log: Logger): Listener {
  const allowed = allowedMethods(method);
  const serve: Listener = async (exchange) => {
    try {
      const request = await readRequest(exchange, method, allowed);
      if (request === undefined) return;
      const body = await answer(request.message, request.codec, request.call);
      await sendAnswer(exchange, request.codec, body);
    } catch (error) {
      if (exchange.isGone || error instanceof ClientGoneError) return;
      sendError(exchange, toShown(error, method, log, exchange.requestId));
    }
  };
  const name = `${method.parent.typeName}/${method.name}`;
  return (exchange) => {
    if (!isTracing()) return serve(exchange);
    const parent = exchange.header("traceparent");
    return traced(name, { kind: "SERVER", parent }, async () => serve(exchange));
  };
}

/** POST, and GET of what has no side effects. */
export function allowedMethods({ idempotency }: DescMethodUnary): readonly string[] {
  return idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS ? ["POST", "GET"] : ["POST"];
}

type UnaryRequest = { message: Buffer; codec: Codec; call: Call };

/** @returns undefined where the request was refused already */
async function readRequest(
  exchange: Exchange,
  method: DescMethodUnary,
  allowed: readonly string[],
): Promise<UnaryRequest | undefined> {
  const startedAtMs = performance.now();
  const body = exchange.isRead ? undefined : await readBody(exchange);
  if (body === "too large") {
    sendErrorUnread(exchange, refusal(`a request has at most ${MAX_REQUEST_BYTES} bytes`));
    return undefined;
  }
  if (!allowed.includes(exchange.request.method ?? "")) {
    exchange.add("allow", allowed.join(", "));
    sendError(exchange, refusal(`${method.name} is not called with this HTTP method`), 405);
    return undefined;
  }
  const sent = body === undefined ? fromQuery(exchange.query) : fromBody(exchange, body);
  if (sent === undefined) {
    sendError(exchange, refusal("Content-Type must be application/json or application/proto"), 415);
    return undefined;
  }
  checkCompression(sent.compression);
  const call = new HttpCall(exchange, startedAtMs + timeoutOf(exchange));
  const bytes = sent.bytes();
  const message = sent.compression === "gzip" ? await decompress(bytes) : bytes;
  return { message, codec: sent.codec, call };
}

class HttpCall implements Call {
  readonly #exchange: Exchange;
  readonly #deadlineMs: number;
  /** The gateway's own part in the trace, which whoever is called takes part in. */
  readonly #trace = activeTraceparent();

  constructor(exchange: Exchange, deadlineMs: number) {
    this.#exchange = exchange;
    this.#deadlineMs = deadlineMs;
    if (deadlineMs <= performance.now()) throw timeIsOver();
  }

  get authorization(): string | undefined {
    return this.#exchange.header("authorization");
  }

  get traceparent(): string | undefined {
    return this.#trace ?? this.#exchange.header("traceparent");
  }

  get timeLeftMs(): number {
    return Math.max(1, this.#deadlineMs - performance.now());
  }

  get isGone(): boolean {
    return this.#exchange.isGone;
  }

  get signal(): AbortSignal {
    return this.#exchange.signal;
  }
}

/** A message as it was sent; `bytes` throws where it cannot be read. */
type Sent = { codec: Codec; compression: string; bytes: () => Buffer };

function fromBody(exchange: Exchange, body: Buffer): Sent | undefined {
  const codec = codecOf(exchange.header("content-type"));
  const compression = exchange.header("content-encoding") ?? "identity";
  return codec && { codec, compression, bytes: () => body };
}

const CONTENT_TYPE = /^application\/(?:(json)(?:; ?charset=utf-?8)?|proto)$/i;

function codecOf(contentType = ""): Codec | undefined {
  if (contentType === "application/json") return "json";
  const match = CONTENT_TYPE.exec(contentType);
  if (match === null) return undefined;
  return match[1] === undefined ? "proto" : "json";
}

/** What `?encoding=json&message=…` asks for. */
export function fromQuery(query: string): Sent | undefined {
  const parameters = new URLSearchParams(query);
  const codec = parameters.get("encoding");
  if (codec !== "json" && codec !== "proto") return undefined;
  return {
    codec,
    compression: parameters.get("compression") ?? "identity",
    bytes: () => {
      const message = parameters.get("message") ?? "";
      return parameters.get("base64") === "1" ? decodeBase64(message) : Buffer.from(message);
    },
  };
}

function decodeBase64(text: string): Buffer {
  try {
    return Buffer.from(base64Decode(text));
  } catch (cause) {
    throw malformed("the message is not valid base64", cause);
  }
}

/** A client that is content to wait longer than we let it has asked for nothing wrong. */
function timeoutOf(exchange: Exchange): number {
  const given = exchange.header("connect-timeout-ms");
  if (given === undefined) return DEFAULT_TIMEOUT_MS;
  if (!/^\d{1,10}$/.test(given)) throw malformed(`invalid connect timeout value: ${given}`);
  return Math.min(Number(given), MAX_TIMEOUT_MS);
}

async function sendAnswer(exchange: Exchange, codec: Codec, body: Uint8Array | string): Promise<void> {
  const type = codec === "json" ? "application/json" : "application/proto";
  const headers = ["content-type", type];
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  if (length >= COMPRESS_FROM_BYTES && takesGzip(exchange)) {
    const compressed = await promisify(gzip)(body);
    const coding = ["content-encoding", "gzip", "content-length", String(compressed.length)];
    exchange.send(200, [...headers, ...coding], compressed);
  } else exchange.send(200, [...headers, "content-length", String(length)], body, length === body.length);
}

/** Whoever says nothing, but sends gzip, can read it too. */
function takesGzip(exchange: Exchange): boolean {
  const accepted = exchange.header("accept-encoding");
  return accepted ? accepts(accepted, "gzip") : exchange.header("content-encoding") === "gzip";
}
