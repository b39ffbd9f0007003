import type { IncomingHttpHeaders } from "node:http2";
import type { Server } from "@grpc/grpc-js";

/** Milliseconds in each unit of the `grpc-timeout` header. */
const UNIT_MS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** The longest a timer of Node can be set for: 2^31 - 1 ms, almost 25 days. */
const MAX_TIMEOUT_SECONDS = 2_147_483;

/**
 * Shortens a `grpc-timeout` of more than 24.8 days, which grpc-js computes in 32 bits: the number wraps around
 * and the call fails at once. The protocol allows 99,999,999 hours. grpc-js offers no way in before it sets its
 * timer, so this wraps the method of the server that takes each stream; a test notices when it has moved.
 */
export function clampTimeouts(server: Server): void {
  const name = "_streamHandler";
  const original: unknown = Reflect.get(server, name);
  if (typeof original !== "function") throw new Error(`this version of grpc-js has no ${name}`);
  Reflect.set(server, name, (interceptors: unknown, stream: unknown, headers: IncomingHttpHeaders) => {
    const timeout = headers["grpc-timeout"];
    if (typeof timeout === "string") headers["grpc-timeout"] = clampTimeout(timeout);
    return original.call(server, interceptors, stream, headers);
  });
}

function clampTimeout(timeout: string): string {
  const [, digits, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(timeout) ?? [];
  const ms = Number(digits) * (UNIT_MS[unit] ?? 0);
  return ms > MAX_TIMEOUT_SECONDS * 1000 ? `${MAX_TIMEOUT_SECONDS}S` : timeout;
}
