import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import {
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  fromJsonString,
  type Message,
  type MessageShape,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { Call } from "./call.ts";
import { JSON_OPTIONS } from "./json-options.ts";
import { unreadable } from "./refusal.ts";
import type { Answerer, Codec } from "./unary.ts";

/** Answers a message by asking the service behind. */
export type Forward = (message: Message, call: Call) => Promise<Message>;

/**
 * Answers a method by asking the service behind it, with the caller's bearer and trace, and within the caller's
 * time: when it is over, or the caller hangs up, the call behind is cancelled.
 */
export function forward(method: DescMethodUnary, transport: Transport): Forward {
  return async (message, call) => {
    const headers = forwardedHeaders(call);
    const answer = await transport.unary(method, call.signal, call.timeLeftMs, headers, message);
    return answer.message;
  };
}

/** The same for a stream of answers. It has no end of its own: a stream lasts until somebody ends it. */
export function forwardStream(
  method: DescMethodServerStreaming,
  transport: Transport,
): (
  message: Message,
  call: Pick<Call, "authorization" | "traceparent" | "signal">,
) => AsyncIterable<Message> {
  return async function* (message, call) {
    const only = (async function* () {
      yield message;
    })();
    const answer = await transport.stream(method, call.signal, undefined, forwardedHeaders(call), only);
    yield* answer.message;
  };
}

/** The same for messages in either encoding. */
export function forwardEncoded(method: DescMethodUnary, answer: Forward): Answerer {
  return async (bytes, codec, call) => {
    const message = decode(method.input, bytes, codec);
    return encode(method.output, await answer(message, call), codec);
  };
}

/** @throws BoxofficeError INVALID_REQUEST that names the field which cannot be read, where it is JSON */
export function decode<Desc extends DescMessage>(
  desc: Desc,
  bytes: Buffer,
  codec: Codec,
): MessageShape<Desc> {
  const text = codec === "json" ? textOf(bytes) : undefined;
  try {
    return text === undefined ? fromBinary(desc, bytes) : fromJsonString(desc, text, JSON_OPTIONS);
  } catch (cause) {
    throw unreadable(desc, text, cause);
  }
}

export function encode(desc: DescMessage, message: Message, codec: Codec): Uint8Array | string {
  return codec === "json" ? toJsonString(desc, message, JSON_OPTIONS) : toBinary(desc, message);
}

/** gRPC's headers hold printable ASCII, and its library repeats what it refuses in an error. */
function forwardedHeaders({
  authorization,
  traceparent,
}: Pick<Call, "authorization" | "traceparent">): Record<string, string> {
  const headers: Record<string, string> = {};
  if (authorization !== undefined) {
    if (/[^\x20-\x7e]/.test(authorization)) {
      throw new BoxofficeError("UNAUTHENTICATED", "the authorization is no bearer token");
    }
    headers.authorization = authorization;
  }
  const trace = traceOf({ traceparent });
  if (trace !== undefined) headers.traceparent = trace;
  return headers;
}

/** The trace that a call is part of, where it looks like one. */
export function traceOf({ traceparent }: Pick<Call, "traceparent">): string | undefined {
  return traceparent !== undefined && /^[0-9a-f-]{55,100}$/.test(traceparent) ? traceparent : undefined;
}

const BYTE_ORDER_MARK = 0xfeff;

function textOf(bytes: Buffer): string {
  const text = bytes.toString();
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}
