import { Code, ConnectError } from "@connectrpc/connect";
import { BoxofficeError, fromConnectError } from "../errors.ts";

/** How long to wait before a service that could not be reached is called again. */
const RETRY_AFTER_MS = 1000;

/**
 * Whether a call failed before a byte of it was sent: what it asked for has certainly not happened. For every
 * other error without a reason of ours (a lost connection, a deadline, a cancellation) the outcome is unknown.
 */
export function wasNeverSent(error: unknown): boolean {
  return error instanceof BoxofficeError && error.cause instanceof NeverSentError;
}

/**
 * What a call throws: the refusal of the service that was called, DEPENDENCY_UNAVAILABLE where it could not be
 * reached, or the ConnectError as it is (a deadline, a cancellation, a fault there).
 */
export function toCallError(error: unknown, sent: boolean): unknown {
  const refusal = fromConnectError(error);
  if (!(refusal instanceof ConnectError) || refusal.code !== Code.Unavailable) return refusal;
  return new BoxofficeError("DEPENDENCY_UNAVAILABLE", "a service that is needed cannot be reached", {
    retryAfterMs: RETRY_AFTER_MS,
    cause: sent ? refusal : new NeverSentError(refusal.rawMessage, { cause: refusal }),
  });
}

class NeverSentError extends Error {
  override readonly name = "NeverSentError";
}
