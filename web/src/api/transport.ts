import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { serverClock } from "./clock.ts";

/** Longer than the slowest honest answer: that of a payment whose provider does not answer. */
const TIMEOUT_MS = 20_000;

/**
 * Calls the gateway that this page came from, in binary. What has no side effects is asked for by GET, so that
 * browsers and caches may keep it.
 *
 * @param bearer asked before each call: the operator's token, where there is one
 */
export function createTransport(bearer?: () => string | undefined): Transport {
  return createConnectTransport({
    baseUrl: location.origin,
    useBinaryFormat: true,
    // An operator gets what is so now, and not what a cache has kept of what everybody may see.
    useHttpGet: bearer === undefined,
    defaultTimeoutMs: TIMEOUT_MS,
    interceptors: [tellTime, authorize(bearer)],
  });
}

const tellTime: Interceptor = (next) => async (request) => {
  const response = await next(request);
  serverClock.observe(response.header.get("date"));
  return response;
};

function authorize(bearer?: () => string | undefined): Interceptor {
  return (next) => (request) => {
    const token = bearer?.();
    if (token !== undefined) request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}
