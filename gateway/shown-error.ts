import { toConnectError } from "@boxoffice/platform/errors.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@boxoffice/proto/google/rpc/error_details_pb.ts";
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { timeIsOver } from "./call.ts";

/**
 * The error as the client gets it. Its details are unpacked, so that JSON shows them in words (`debug`), also
 * those with a reason that this gateway is too old to know. Of a fault, the client learns that there was one, and
 * the log which.
 */
export function toShown(error: unknown, method: DescMethod, log: Logger, requestId?: string): ConnectError {
  const shown = error instanceof ConnectError ? showWire(error) : toConnectError(error);
  if (shown.code === Code.Internal) {
    const name = `${method.parent.typeName}/${method.name}`;
    log.error({ method: name, requestId, error }, "a call failed unexpectedly");
  }
  return shown;
}

function showWire(error: ConnectError): ConnectError {
  switch (error.code) {
    case Code.DeadlineExceeded:
      return timeIsOver();
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
