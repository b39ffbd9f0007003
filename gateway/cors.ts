import { ConfigError } from "@boxoffice/platform/config.ts";
import { cors } from "@connectrpc/connect";
import type { Exchange } from "./exchange.ts";

/** How long a browser need not ask again, in seconds. */
const PREFLIGHT_MAX_AGE_SECONDS = 7200;

/**
 * The origins whose pages may call this API.
 *
 * @param list separated by commas, for example `https://shop.example,http://localhost:5173`
 * @throws ConfigError where one of them is no origin
 */
export function parseOrigins(list: string): ReadonlySet<string> {
  const origins = list.split(",").map((origin) => origin.trim());
  const given = origins.filter((origin) => origin !== "");
  if (!given.every(isOrigin)) {
    throw new ConfigError("CORS_ORIGINS must be origins such as https://shop.example, separated by commas");
  }
  return new Set(given);
}

/**
 * Tells a browser whether a page of another origin may see the answer.
 *
 * @returns whether the request was only the question whether it may ask, and is answered
 */
export function answerCors(origins: ReadonlySet<string>, exchange: Exchange): boolean {
  const { origin } = exchange.request.headers;
  const isPreflight =
    exchange.request.method === "OPTIONS" && exchange.header("access-control-request-method") !== undefined;
  if (origin !== undefined && origins.has(origin)) {
    exchange.add("access-control-allow-origin", origin, "access-control-expose-headers", EXPOSED_HEADERS);
    if (isPreflight) exchange.add(...PREFLIGHT_HEADERS);
  }
  if (isPreflight) exchange.send(204, []);
  return isPreflight;
}

const EXPOSED_HEADERS = [
  ...cors.exposedHeaders,
  "ETag",
  "X-Request-Id",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
].join(", ");

const PREFLIGHT_HEADERS = [
  "access-control-allow-methods",
  cors.allowedMethods.join(", "),
  "access-control-allow-headers",
  [...cors.allowedHeaders, "Authorization", "If-None-Match", "Traceparent", "X-Request-Id"].join(", "),
  "access-control-max-age",
  String(PREFLIGHT_MAX_AGE_SECONDS),
];

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
