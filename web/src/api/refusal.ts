import type { Reason } from "@boxoffice/platform/errors.ts";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@boxoffice/proto/google/rpc/error_details_pb.ts";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";

/** Why a call failed: a reason of the box office, or that it was not reached, or something nobody expected. */
export type Cause = Reason | "UNREACHABLE" | "UNEXPECTED";

export type Refusal = {
  cause: Cause;
  /** Facts about it, such as `available` or `payment_id`. */
  metadata: Readonly<Record<string, string>>;
  /** With INVALID_REQUEST: what is wrong, by the path of the field. */
  fields: readonly { field: string; description: string }[];
  /** When the box office wants to be asked again, in milliseconds from now. */
  retryAfterMs: number | undefined;
};

/** Reads an error of a call. */
export function refusalOf(error: unknown): Refusal {
  const none = { metadata: {}, fields: [], retryAfterMs: undefined };
  if (!(error instanceof ConnectError))
    return { cause: isLost(error) ? "UNREACHABLE" : "UNEXPECTED", ...none };
  const [info] = error.findDetails(ErrorInfoSchema);
  const [badRequest] = error.findDetails(BadRequestSchema);
  const [retry] = error.findDetails(RetryInfoSchema);
  return {
    cause: info ? (info.reason as Reason) : causeWithoutReason(error),
    metadata: info?.metadata ?? {},
    fields: badRequest?.fieldViolations.map(({ field, description }) => ({ field, description })) ?? [],
    retryAfterMs: retry?.retryDelay && durationMs(retry.retryDelay),
  };
}

/** Whether the box office has decided: asking the same again would be answered the same. */
export function isDecided({ cause, metadata }: Refusal): boolean {
  // A payment that failed because its provider could not be asked is on record, and has an id.
  return !UNDECIDED.includes(cause) || metadata.payment_id !== undefined;
}

const UNDECIDED: readonly Cause[] = [
  "UNREACHABLE",
  "UNEXPECTED",
  "OVERLOADED",
  "RATE_LIMITED",
  "DEPENDENCY_UNAVAILABLE",
];

/** Whether trying again by itself may help. */
export function isPassing(refusal: Refusal): boolean {
  return !isDecided(refusal) && refusal.cause !== "UNEXPECTED";
}

function causeWithoutReason(error: ConnectError): Cause {
  const lost = error.code === Code.Unavailable || error.code === Code.DeadlineExceeded;
  return lost || isLost(error.cause) ? "UNREACHABLE" : "UNEXPECTED";
}

/** A `fetch` that got no answer fails with a TypeError. */
const isLost = (error: unknown): boolean => error instanceof TypeError;
