import { Code, ConnectError } from "@connectrpc/connect";

/** What a call brings with it besides its message. */
export type Call = {
  readonly authorization: string | undefined;
  /** The W3C trace that the call is part of. */
  readonly traceparent: string | undefined;
  /** How long it may still take, in milliseconds; at least 1. */
  readonly timeLeftMs: number;
  /** Whether nobody waits for the answer any more. */
  readonly isGone: boolean;
  /** Aborts when that happens. */
  readonly signal: AbortSignal;
};

/** How long a call may take where the client does not say, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** The longest that a call may take, in milliseconds. */
export const MAX_TIMEOUT_MS = 30_000;

/** What a client gets whose time is over: what it asked for may have happened, or may still happen. */
export const timeIsOver = (): ConnectError =>
  new ConnectError("the time for this call is over", Code.DeadlineExceeded);
