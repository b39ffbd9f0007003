import type { ServerInterceptor } from "@grpc/grpc-js";
import { BoxofficeError } from "../errors.ts";
import { toGrpcStatus } from "./status.ts";

/** What grpc-js says of a request that it cannot read, and what the caller is told in its place. */
const REFUSALS: readonly [said: RegExp, told: string][] = [
  [/^Received message larger than max/, "the message is too large"],
  [/^Received message that decompresses to/, "the message is too large when decompressed"],
  [/^Failed to decompress message/, "the message cannot be decompressed"],
  [
    /^Received message compressed with unsupported/,
    "messages are compressed with gzip or deflate, or not at all",
  ],
  [/^Invalid grpc-timeout value/, "grpc-timeout must be digits and one of the units H, M, S, m, u and n"],
  [/^Received a second request message/, "the call takes one message, and was sent several"],
  [/^Received no request message/, "the call takes one message, and was sent none"],
];

/**
 * Gives a reason to what grpc-js refuses by itself, before any handler is asked: it calls most of that INTERNAL or
 * UNIMPLEMENTED, as if the fault were ours. It answers through the call that interceptors are given, whose method is
 * replaced here; one around it would not see these answers.
 */
export const explainRefusals: ServerInterceptor = (_, call) => {
  call.sendStatus = explaining(call.sendStatus.bind(call));
  return call as ReturnType<ServerInterceptor>;
};

/**
 * In a function of its own: V8 puts a function that is written where a property is assigned among the old objects at
 * once, where it would keep the call until the next major collection.
 */
const explaining = (send: (status: Ended) => void) => (status: Ended) => send(explain(status));

type Ended = Parameters<Parameters<ServerInterceptor>[1]["sendStatus"]>[0];

/** Our own answers have metadata, grpc-js's have none. */
function explain(status: Ended): Ended {
  if (status.metadata) return status;
  const told = REFUSALS.find(([said]) => said.test(status.details))?.[1];
  if (told === undefined) return status;
  const fields = [{ field: "", description: told }];
  return toGrpcStatus(new BoxofficeError("INVALID_REQUEST", told, { fields }), new Headers());
}
