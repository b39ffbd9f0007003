import type { Caller } from "@boxoffice/platform/auth/caller.ts";
import type { Verifier } from "@boxoffice/platform/auth/verifier.ts";
import { BoxofficeError, toConnectError } from "@boxoffice/platform/errors.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import { admit } from "@boxoffice/platform/rpc/access.ts";
import type { DescMethod } from "@bufbuild/protobuf";
import { sendError, sendErrorUnread } from "./answers.ts";
import type { Exchange, Listener } from "./exchange.ts";
import type { Clients } from "./limits/clients.ts";
import type { Overload } from "./limits/overload.ts";
import type { PerClient } from "./limits/per-client.ts";
import type { RateLimit } from "./limits/rate-limit.ts";
import { rateLimited, shed } from "./metrics.ts";
import { MAX_REQUEST_BYTES } from "./read-body.ts";
import { toShown } from "./shown-error.ts";

/** What keeps a crowd from breaking the door, and one client from taking it from the others. */
export type Limits = {
  clients: Clients;
  /** Undefined where there is none. */
  rate: RateLimit | undefined;
  overload: Overload;
  /** Streams that each client has open. */
  streams: PerClient;
};

export type GuardOptions = {
  limits: Limits;
  /** Decides about bearers like the service behind. */
  verifier: Verifier;
  /** The service behind. */
  service: string;
  /** Whether a request will be answered from memory. */
  isKnown?: (exchange: Exchange) => boolean;
  log: Logger;
};

/** What an answer from memory costs, and a bearer that has to be looked into and is none, in requests. */
const KNOWN_COST = 0.1;
const BAD_BEARER_COST = 5;

const RETRY_AFTER_MS = 1_000;

/**
 * Looks at a request before anything of it is read: whether its bearer is good, its client has not asked too much,
 * and there is room. Whoever is refused here has cost next to nothing.
 */
export function guard(method: DescMethod, listener: Listener, options: GuardOptions): Listener {
  const { limits, verifier, service, isKnown = () => false, log } = options;

  function pass(exchange: Exchange, client: string): Promise<void> | void {
    const isCheap = isKnown(exchange);
    if (!takeFromRate(limits, exchange, client, isCheap ? KNOWN_COST : 1)) return;
    if (isCheap) return listener(exchange);
    const leave = limits.overload.enter(service);
    if (leave === undefined) {
      shed.inc({ service });
      const message = "Too many requests at the moment. Try again shortly.";
      return refuse(exchange, new BoxofficeError("OVERLOADED", message, { retryAfterMs: retryAfterMs() }));
    }
    return Promise.resolve(listener(exchange)).finally(leave);
  }

  async function checkBearer(exchange: Exchange, authorization: string): Promise<void> {
    let caller: Caller;
    const address = limits.clients.of(exchange.request);
    try {
      caller = await admit(method, authorization, verifier);
    } catch (error) {
      // Counted apart: whoever guesses bearers takes nothing from others behind the same address.
      if (!takeFromRate(limits, exchange, `bearers from ${address}`, BAD_BEARER_COST)) return;
      return refuse(exchange, toShown(error, method, log, exchange.requestId));
    }
    return pass(exchange, caller.kind === "operator" ? `operator ${caller.subject}` : address);
  }

  return (exchange) => {
    const { authorization } = exchange.request.headers;
    if (authorization !== undefined) return checkBearer(exchange, authorization);
    return pass(exchange, limits.rate === undefined ? "" : limits.clients.of(exchange.request));
  };
}

/** @returns false where the client has asked too much, and was told so */
function takeFromRate({ rate }: Limits, exchange: Exchange, client: string, cost: number): boolean {
  if (rate === undefined) return true;
  const { isAllowed, left, retryAfterMs: waitMs } = rate.take(client, cost, performance.now());
  if (isAllowed) {
    // What caches keep must not tell one client's allowance to others.
    if (!exchange.isRead)
      exchange.add("ratelimit-policy", rate.policy, "ratelimit", `"requests";r=${left};t=1`);
    return true;
  }
  rateLimited.inc();
  const seconds = Math.ceil(waitMs / 1_000);
  exchange.add(
    "ratelimit-policy",
    rate.policy,
    "ratelimit",
    `"requests";r=0;t=${seconds}`,
    "retry-after",
    String(seconds),
  );
  const message = "You have sent too many requests. Try again shortly.";
  refuse(exchange, new BoxofficeError("RATE_LIMITED", message, { retryAfterMs: Math.max(waitMs, 100) }));
  return false;
}

/** A small body that follows is read and dropped; a large one is not waited for. */
function refuse(exchange: Exchange, error: unknown): void {
  const { headers, complete } = exchange.request;
  const isSmall = Number(headers["content-length"] ?? Number.POSITIVE_INFINITY) <= MAX_REQUEST_BYTES;
  if (complete || isSmall || exchange.isRead) sendError(exchange, toConnectError(error));
  else sendErrorUnread(exchange, toConnectError(error));
}

/** Those who are refused together do not come back together. */
const retryAfterMs = (): number => Math.round(RETRY_AFTER_MS * (0.5 + Math.random()));
