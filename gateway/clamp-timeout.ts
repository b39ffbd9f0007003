/** The longest that a call may take, in milliseconds. */
export const MAX_TIMEOUT_MS = 30_000;

/** Milliseconds in each unit of the `grpc-timeout` header. */
const UNIT_MS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * Shortens a client's timeout to {@link MAX_TIMEOUT_MS}. Connect would refuse a longer one, and a client that is
 * content to wait longer has asked for nothing wrong. What is no timeout at all is left for Connect to refuse.
 */
export function clampTimeout(headers: Headers): void {
  const connect = headers.get("connect-timeout-ms");
  if (connect !== null && /^\d{1,10}$/.test(connect) && Number(connect) > MAX_TIMEOUT_MS) {
    headers.set("connect-timeout-ms", String(MAX_TIMEOUT_MS));
  }
  const [, digits, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(headers.get("grpc-timeout") ?? "") ?? [];
  if (Number(digits) * (UNIT_MS[unit] ?? 0) > MAX_TIMEOUT_MS)
    headers.set("grpc-timeout", `${MAX_TIMEOUT_MS}m`);
}
