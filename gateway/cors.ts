import type { IncomingMessage, ServerResponse } from "node:http";
import { ConfigError } from "@boxoffice/platform/config.ts";
import { cors } from "@connectrpc/connect";

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
export function answerCors(
  origins: ReadonlySet<string>,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { origin } = request.headers;
  const isPreflight = request.method === "OPTIONS" && "access-control-request-method" in request.headers;
  if (origin !== undefined && origins.has(origin)) {
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-expose-headers", cors.exposedHeaders.join(", "));
    if (isPreflight) {
      response.setHeader("access-control-allow-methods", cors.allowedMethods.join(", "));
      response.setHeader(
        "access-control-allow-headers",
        [...cors.allowedHeaders, "Authorization"].join(", "),
      );
      response.setHeader("access-control-max-age", PREFLIGHT_MAX_AGE_SECONDS);
    }
  }
  if (isPreflight) response.writeHead(204).end();
  return isPreflight;
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
