import type { Verifier } from "@boxoffice/platform/auth/verifier.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import { accessOf, admit } from "@boxoffice/platform/rpc/access.ts";
import { checkRequest } from "@boxoffice/platform/rpc/validate.ts";
import { Caller } from "@boxoffice/proto/boxoffice/common/v1/access_pb.ts";
import { create, type DescMethodServerStreaming, type Message } from "@bufbuild/protobuf";
import type { HandlerContext, Transport } from "@connectrpc/connect";
import type { TakeOver } from "../connect-router.ts";
import { forwardStream } from "../forward.ts";
import { toShown } from "../shown-error.ts";
import { speechOf } from "../speech.ts";
import type { Feeds, Source } from "./feeds.ts";
import { HttpViewer } from "./http-viewer.ts";

export type WatchOptions = {
  transport: Transport;
  /** Decides like the service behind. */
  verifier: Verifier;
  feeds: Feeds;
  log: Logger;
};

/** A stream of which every message tells the whole state of one event. */
export function isWatch(method: DescMethodServerStreaming): boolean {
  return method.name.startsWith("Watch") && method.input.fields.some(({ name }) => name === "event_id");
}

/**
 * Lets a caller in to watch, as the service behind would: it is asked once for all of them.
 *
 * @returns what then goes on with the answer
 * @throws BoxofficeError UNAUTHENTICATED, PERMISSION_DENIED, INVALID_REQUEST
 */
export function watchMethod(
  method: DescMethodServerStreaming,
  { transport, verifier, feeds, log }: WatchOptions,
): (message: Message, context: HandlerContext) => Promise<TakeOver> {
  const open = forwardStream(method, transport);
  const isForOperators = accessOf(method).caller === Caller.OPERATOR;
  return async (message, context) => {
    const check = async () => {
      await admit(method, context.requestHeader.get("authorization"), verifier);
    };
    await check();
    checkRequest(method.input, message);
    const authorization = isForOperators
      ? (context.requestHeader.get("authorization") ?? undefined)
      : undefined;
    const timeoutMs = context.timeoutMs();
    const speech = speechOf(context.requestHeader.get("content-type") ?? "");
    if (speech === undefined) throw new Error("a stream is asked for in envelopes");
    return (response) => {
      const viewer = new HttpViewer({
        response,
        speech,
        authorization,
        recheck: authorization === undefined ? async () => {} : check,
        timeoutMs,
        toShown: (error) => toShown(error, method, log),
      });
      try {
        const leave = feeds.watch(sourceOf(method, message, open), viewer);
        response.once("close", leave);
      } catch (error) {
        viewer.end(error);
      }
    };
  };
}

function sourceOf(
  method: DescMethodServerStreaming,
  message: Message & { eventId?: string },
  open: ReturnType<typeof forwardStream>,
): Source {
  const eventId = message.eventId?.toLowerCase() ?? "";
  // A request of our own, so that whatever else the first viewer sent is nothing to the others.
  const request = create(method.input, { eventId });
  return {
    key: `${method.parent.typeName}/${method.name} ${eventId}`,
    output: method.output,
    open: (authorization, signal) => open(request, { authorization, traceparent: undefined, signal }),
  };
}
