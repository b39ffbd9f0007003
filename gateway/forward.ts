import { BoxofficeError, toConnectError } from "@boxoffice/platform/errors.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import { forwardBearer } from "@boxoffice/platform/rpc/access.ts";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@boxoffice/proto/google/rpc/error_details_pb.ts";
import type { DescMethodUnary } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createContextKey,
  type HandlerContext,
  type MethodImpl,
  type Transport,
} from "@connectrpc/connect";

/** How long a call may take where the client does not say, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** Set on a call once it was understood and is on its way to a service. */
export const FORWARDED = createContextKey(false, { description: "forwarded" });

/**
 * Answers a method by asking the service behind it, with the caller's bearer, and within the caller's time: when
 * it is over, or the caller hangs up, the call behind is cancelled.
 */
export function forward(
  method: DescMethodUnary,
  transport: Transport,
  log: Logger,
): MethodImpl<DescMethodUnary> {
  return async (message, context) => {
    context.values.set(FORWARDED, true);
    try {
      const { headers } = checkedBearer(context);
      const answer = await transport.unary(method, context.signal, timeLeft(context), headers, message);
      return answer.message;
    } catch (error) {
      const shown = toShown(error);
      if (shown.code === Code.Internal && !context.signal.aborted) {
        log.error(
          { method: `${method.parent.typeName}/${method.name}`, error },
          "a call failed unexpectedly",
        );
      }
      throw shown;
    }
  };
}

/** 0 would mean "no limit" to the transport; a call whose time is over fails by its signal. */
function timeLeft(context: HandlerContext): number {
  return Math.max(1, context.timeoutMs() ?? DEFAULT_TIMEOUT_MS);
}

/** gRPC's headers hold printable ASCII, and its library repeats what it refuses in an error. */
function checkedBearer(context: HandlerContext): { headers?: HeadersInit } {
  const authorization = context.requestHeader.get("authorization") ?? "";
  if (/[^\x20-\x7e]/.test(authorization)) {
    throw new BoxofficeError("UNAUTHENTICATED", "the authorization is no bearer token");
  }
  return forwardBearer(context);
}

/**
 * The error as the client gets it. Its details are unpacked, so that JSON shows them in words (`debug`), also
 * those with a reason that this gateway is too old to know. Of a fault, the client learns that there was one.
 */
function toShown(error: unknown): ConnectError {
  if (!(error instanceof ConnectError)) return toConnectError(error);
  switch (error.code) {
    case Code.DeadlineExceeded:
      return new ConnectError("the time for this call is over", Code.DeadlineExceeded);
    case Code.Canceled:
      return new ConnectError("the call was cancelled", Code.Canceled);
    case Code.Unknown:
    case Code.Internal:
    case Code.DataLoss:
      return new ConnectError("internal error", Code.Internal);
    default:
      return new ConnectError(error.rawMessage, error.code, undefined, knownDetails(error));
  }
}

function knownDetails(error: ConnectError) {
  return [
    ...error.findDetails(ErrorInfoSchema).map((value) => ({ desc: ErrorInfoSchema, value })),
    ...error.findDetails(BadRequestSchema).map((value) => ({ desc: BadRequestSchema, value })),
    ...error.findDetails(RetryInfoSchema).map((value) => ({ desc: RetryInfoSchema, value })),
  ];
}
