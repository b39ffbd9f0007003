import type { DescMethod } from "@bufbuild/protobuf";
import { MAX_TIMEOUT_MS } from "./call.ts";

/** The longest that a stream may last where its client sets a time, in milliseconds. */
export const MAX_STREAM_MS = 24 * 3_600_000;

/** Milliseconds in each unit of the `grpc-timeout` header. */
const UNIT_MS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * Shortens a client's timeout to what a call, or a stream, may take at most. Connect would refuse a longer one, and
 * a client that is content to wait longer has asked for nothing wrong. What is no timeout at all is left for Connect
 * to refuse.
 */
export function clampTimeout(headers: Headers, { methodKind }: Pick<DescMethod, "methodKind">): void {
  const maxMs = methodKind === "unary" ? MAX_TIMEOUT_MS : MAX_STREAM_MS;
  const connect = headers.get("connect-timeout-ms");
  if (connect !== null && /^\d{1,10}$/.test(connect) && Number(connect) > maxMs) {
    headers.set("connect-timeout-ms", String(maxMs));
  }
  const [, digits, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(headers.get("grpc-timeout") ?? "") ?? [];
  if (Number(digits) * (UNIT_MS[unit] ?? 0) > maxMs) headers.set("grpc-timeout", `${maxMs}m`);
}
