import type { DescMethod } from "@bufbuild/protobuf";
import { MAX_TIMEOUT_MS } from "./call.ts";
import type { Exchange } from "./exchange.ts";
import { malformed } from "./refusal.ts";

/** The longest that a stream may last where its client sets a time, in milliseconds. */
export const MAX_STREAM_MS = 24 * 3_600_000;

/** Milliseconds in each unit of the `grpc-timeout` header. */
const UNIT_MS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

const CONNECT_TIMEOUT = /^\d{1,10}$/;
const GRPC_TIMEOUT = /^(\d{1,8})([HMSmun])$/;

/** @throws BoxofficeError INVALID_REQUEST where the header that tells how long the client waits tells nothing */
export function checkTimeout(exchange: Exchange, name: "connect-timeout-ms" | "grpc-timeout"): void {
  const given = exchange.header(name);
  const format = name === "grpc-timeout" ? GRPC_TIMEOUT : CONNECT_TIMEOUT;
  if (given !== undefined && !format.test(given)) throw malformed(`invalid ${name} value: ${given}`);
}

/**
 * Shortens a client's timeout to what a call, or a stream, may take at most. Connect would refuse a longer one, and
 * a client that is content to wait longer has asked for nothing wrong. What is no timeout at all was refused
 * before.
 */
export function clampTimeout(headers: Headers, { methodKind }: Pick<DescMethod, "methodKind">): void {
  const maxMs = methodKind === "unary" ? MAX_TIMEOUT_MS : MAX_STREAM_MS;
  const connect = headers.get("connect-timeout-ms");
  if (connect !== null && CONNECT_TIMEOUT.test(connect) && Number(connect) > maxMs) {
    headers.set("connect-timeout-ms", String(maxMs));
  }
  const [, digits, unit = ""] = GRPC_TIMEOUT.exec(headers.get("grpc-timeout") ?? "") ?? [];
  if (Number(digits) * (UNIT_MS[unit] ?? 0) > maxMs) headers.set("grpc-timeout", `${maxMs}m`);
}
