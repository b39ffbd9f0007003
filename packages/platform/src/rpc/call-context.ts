import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextValues, type HandlerContext } from "@connectrpc/connect";
import type { Metadata } from "@grpc/grpc-js";
import { toHeaders } from "./metadata.ts";

/** What the adapter needs of a call of grpc-js, of whatever kind. */
export type ServerCall = {
  readonly metadata: Metadata;
  getDeadline(): Date | number;
  on(event: "cancelled", listener: () => void): unknown;
};

/** A handler's context, and how to end it. */
export type CallContext = HandlerContext & {
  /** Aborts `signal`, once. Later calls change nothing. */
  abort(reason: Error): void;
};

/** Why `signal` is aborted after a call was answered; what the handler left behind may go. */
export const CALL_OVER = new ConnectError("the call is over", Code.Canceled);

/** A timer may fire this much before the time that it was set for. */
const TIMER_SLACK_MS = 2;

/**
 * The context of one call. Connect's own `createHandlerContext` would do the same at several times the cost:
 * it sets a second timer beside that of grpc-js and makes three abort signals.
 */
export function openContext(method: DescMethod, call: ServerCall): CallContext {
  const controller = new AbortController();
  const deadlineMs = Number(call.getDeadline());
  const hasDeadline = Number.isFinite(deadlineMs);
  // grpc-js answers DEADLINE_EXCEEDED by itself; the handler learns of it like of any other cancellation.
  call.on("cancelled", () => {
    if (controller.signal.aborted) return;
    const late = hasDeadline && Date.now() >= deadlineMs - TIMER_SLACK_MS;
    controller.abort(
      late
        ? new ConnectError("the deadline has passed", Code.DeadlineExceeded)
        : new ConnectError("the caller has gone", Code.Canceled),
    );
  });
  return {
    method,
    service: method.parent,
    protocolName: "grpc",
    requestMethod: "POST",
    url: `http://grpc/${method.parent.typeName}/${method.name}`,
    requestHeader: toHeaders(call.metadata),
    responseHeader: new Headers(),
    responseTrailer: new Headers(),
    values: createContextValues(),
    signal: controller.signal,
    timeoutMs: () => (hasDeadline ? deadlineMs - Date.now() : undefined),
    abort: (reason) => controller.abort(reason),
  };
}
