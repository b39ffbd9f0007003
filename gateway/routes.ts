import type { Verifier } from "@boxoffice/platform/auth/verifier.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import { accessOf } from "@boxoffice/platform/rpc/access.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { Caller } from "@boxoffice/proto/boxoffice/common/v1/access_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import type {
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  Message,
} from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext, Transport } from "@connectrpc/connect";
import { type Call, DEFAULT_TIMEOUT_MS } from "./call.ts";
import { routerListeners, SERVED } from "./connect-router.ts";
import type { Exchange, Listener } from "./exchange.ts";
import { forward, forwardEncoded, forwardStream } from "./forward.ts";
import { guard, type Limits } from "./guard.ts";
import type { Feeds } from "./live/feeds.ts";
import { isWatch, watchMethod } from "./live/watch-method.ts";
import { reserveTogether } from "./reserve-together.ts";
import type { SharedReads } from "./shared-reads.ts";
import { toShown } from "./shown-error.ts";
import { unaryListener } from "./unary.ts";

/** The processes behind the gateway. */
export const BACKENDS = ["catalog", "reservation", "payment", "stats"] as const;
export type BackendName = (typeof BACKENDS)[number];

export type RouteOptions = {
  transports: Readonly<Record<BackendName, Transport>>;
  /** The gateway's own token at the reservation service. */
  reservationBearer: () => Promise<string>;
  /** Answers that many share. */
  reads: SharedReads;
  /** What many watch. */
  feeds: Feeds;
  /** Who decides about bearers as each service does. */
  verifiers: Readonly<Record<BackendName, Verifier>>;
  limits: Limits;
  log: Logger;
};

/**
 * What answers at the path of each method that the public and operators may call. Every other method has no path
 * here, so that it is as unknown as a mistyped one.
 */
export function createRoutes(options: RouteOptions): ReadonlyMap<string, Listener> {
  const { log, reads } = options;
  const together = reserveTogether({
    transport: options.transports.reservation,
    bearer: options.reservationBearer,
  });
  const viaRouter = routerListeners((router) => mountRoutes(router, options), log);
  const routes = new Map<string, Listener>();
  for (const { method, backend } of methodsForBrowsers()) {
    const path = `/${method.parent.typeName}/${method.name}`;
    const maxAgeMs = MAX_AGE_MS.get(method);
    const guarded = (listener: Listener) =>
      guard(method, listener, {
        ...options,
        verifier: options.verifiers[backend],
        service: backend,
        ...(maxAgeMs !== undefined && { isKnown: (exchange: Exchange) => reads.isKnown(exchange) }),
      });
    const connect = viaRouter.get(path);
    if (connect === undefined) throw new Error(`Connect's router does not serve ${path}`);
    if (method.methodKind !== "unary") {
      routes.set(path, guarded(connect));
      continue;
    }
    const ask = forward(method, options.transports[backend]);
    const single = forwardEncoded(method, ask);
    const otherwise = unaryListener(
      method,
      method === ReservationService.method.reserve ? together : single,
      log,
    );
    const lean = maxAgeMs === undefined ? otherwise : reads.listener({ method, maxAgeMs, ask, otherwise });
    const either: Listener = (exchange) =>
      (isGrpcWeb(exchange.header("content-type")) ? connect : lean)(exchange);
    routes.set(path, guarded(either));
  }
  return routes;
}

/** Routes the same methods in Connect's own router, for what the lean path does not serve. */
export function mountRoutes(
  router: ConnectRouter,
  { transports, verifiers, feeds, limits, log }: Omit<RouteOptions, "reservationBearer" | "reads">,
): void {
  for (const { method, backend } of methodsForBrowsers()) {
    const transport = transports[backend];
    const shown = (error: unknown) => toShown(error, method, log);
    if (method.methodKind === "unary") {
      const answer = forward(method, transport);
      router.rpc(method, (message: Message, context: HandlerContext) =>
        answer(message, callOf(context)).catch((error: unknown) => Promise.reject(shown(error))),
      );
    } else {
      const messages = forwardStream(method, transport);
      const watch = watchMethod(method, { transport, verifier: verifiers[backend], feeds, log });
      router.rpc(method, async function* (message: Message, context: HandlerContext) {
        const served = context.values.get(SERVED);
        try {
          if (served !== undefined) countStream(limits, served.exchange);
          if (served !== undefined && isWatch(method)) served.takeOver = await watch(message, context);
          else yield* messages(message, callOf(context));
        } catch (error) {
          throw shown(error);
        }
      });
    }
  }
}

/** @throws BoxofficeError RATE_LIMITED where the client has too many streams open already */
function countStream({ streams, clients }: Limits, { request, response }: Exchange): void {
  const leave = streams.enter(clients.of(request));
  if (leave === undefined) {
    const message = "You have too many streams open. Close some, or ask from time to time instead.";
    throw new BoxofficeError("RATE_LIMITED", message, { retryAfterMs: STREAMS_RETRY_MS });
  }
  response.once("close", leave);
}

const STREAMS_RETRY_MS = 10_000;

/** How old what everybody shares may be when it is sent, in milliseconds. */
const MAX_AGE_MS = new Map<DescMethod, number>([
  [ReservationService.method.getAvailability, 250],
  [CatalogService.method.getEvent, 2_000],
  [CatalogService.method.listEvents, 2_000],
]);

type ForBrowsers = { method: DescMethodUnary | DescMethodServerStreaming; backend: BackendName };

const SERVICES: readonly { desc: DescService; backend: BackendName }[] = [
  { desc: CatalogService, backend: "catalog" },
  { desc: ReservationService, backend: "reservation" },
  { desc: PaymentService, backend: "payment" },
  { desc: StatsService, backend: "stats" },
];

function methodsForBrowsers(): ForBrowsers[] {
  return SERVICES.flatMap(({ desc, backend }) =>
    desc.methods.filter(isForBrowsers).map((method) => ({ method, backend })),
  );
}

function isForBrowsers(method: DescMethod): method is DescMethodUnary | DescMethodServerStreaming {
  if (accessOf(method).caller === Caller.SERVICE) return false;
  if (method.methodKind === "unary" || method.methodKind === "server_streaming") return true;
  throw new Error(`${method.parent.typeName}/${method.name} is a stream that no browser can send`);
}

const isGrpcWeb = (contentType: string | undefined): boolean =>
  contentType?.startsWith("application/grpc-web") ?? false;

function callOf(context: HandlerContext): Call {
  return {
    authorization: context.requestHeader.get("authorization") ?? undefined,
    traceparent: context.requestHeader.get("traceparent") ?? undefined,
    get timeLeftMs() {
      return Math.max(1, context.timeoutMs() ?? DEFAULT_TIMEOUT_MS);
    },
    get isGone() {
      return context.signal.aborted;
    },
    signal: context.signal,
  };
}
