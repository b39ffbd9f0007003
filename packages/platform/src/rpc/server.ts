import { create } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { logVerbosity, Server, setLogVerbosity } from "@grpc/grpc-js";
import type { Verifier } from "../auth/verifier.ts";
import { BoxofficeError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { NO_TLS, type Tls } from "../tls.ts";
import { accessInterceptor, accessOf, isPublished } from "./access.ts";
import { answerUnary, type UnaryCall } from "./answer-unary.ts";
import type { CallContext } from "./call-context.ts";
import { clampTimeouts } from "./clamp-timeout.ts";
import { asIs } from "./codec.ts";
import { forgetEndedStreams } from "./ended-streams.ts";
import { explainRefusals } from "./explain-refusals.ts";
import { type HandlerOptions, handlerFor } from "./handler.ts";
import { type HealthState, healthService } from "./health.ts";
import { reflectionServices } from "./reflection.ts";
import type { RpcService } from "./service.ts";
import { prepareRules, validateInterceptor } from "./validate.ts";

export type RpcServerOptions = {
  /** The process's name, for errors. */
  name: string;
  /** What the process serves; health and reflection are added. */
  services: readonly RpcService[];
  verifier: Verifier;
  health: HealthState;
  log: Logger;
  /** How connections are secured; not at all unless given. */
  tls?: Pick<Tls, "server">;
  /** Around the checks of access and of the request; the first one is the outermost. */
  interceptors?: readonly Interceptor[];
  /** Ends open streams when it aborts. Other calls finish. */
  shutdownSignal?: AbortSignal;
  limits?: Partial<RpcLimits>;
};

export type RpcLimits = {
  /** The longest message that is read or sent, in bytes. */
  maxMessageBytes: number;
  /** Calls at a time on one connection; more wait at the client. */
  maxConcurrentCalls: number;
  /** After this a connection is replaced, so that clients learn of new replicas, in milliseconds. */
  maxConnectionAgeMs: number;
  /** How long calls on a replaced connection may still take, in milliseconds. */
  maxConnectionAgeGraceMs: number;
};

export type RpcServer = {
  /**
   * @returns the port, which the system chooses for 0
   * @throws an error that names host and port when it cannot listen there
   */
  listen(host: string, port: number): Promise<number>;
  /**
   * Says NOT_SERVING, ends open streams, takes no new calls, lets the others finish for at most `graceMs`, and
   * then cuts them off. Calling it again waits for the same end.
   */
  close(graceMs: number): Promise<void>;
};

const DEFAULT_LIMITS: RpcLimits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxConcurrentCalls: 1000,
  maxConnectionAgeMs: 5 * 60_000,
  maxConnectionAgeGraceMs: 10 * 60_000,
};

/** What one connection may make the server hold, in megabytes; grpc-js sets no limit by itself. */
const MAX_SESSION_MEGABYTES = 64;

/** How long connections that are cut off may take to be gone, in milliseconds. */
const CUT_OFF_MS = 100;

const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;

/**
 * A gRPC server for services written for Connect: it checks who calls and what they send, bounds what a
 * connection may use, and answers grpc.health.v1 and server reflection.
 *
 * @throws when a method does not say who may call it, or the rules of a request are wrong
 */
export function createRpcServer(options: RpcServerOptions): RpcServer {
  // grpc-js would write headers that it cannot parse to standard error, a bearer token for instance.
  setLogVerbosity(logVerbosity.NONE);
  forgetEndedStreams();
  const { health, log, shutdownSignal } = options;
  const openStreams = new Set<CallContext>();
  const interceptors = [
    ...(options.interceptors ?? []),
    accessInterceptor(options.verifier),
    validateInterceptor(),
  ];
  const answers = new Map<string, (call: UnaryCall) => void>();
  const server = new Server({
    ...serverOptions({ ...DEFAULT_LIMITS, ...options.limits }),
    interceptors: [explainRefusals, answerUnary(answers)],
  });
  clampTimeouts(server);
  for (const mounted of withPublishedServices(options.services, health)) {
    mount(server, answers, mounted, { interceptors, log, openStreams });
  }

  const endStreams = () => {
    for (const stream of openStreams) stream.abort(stopping());
  };
  shutdownSignal?.addEventListener("abort", endStreams, { once: true });

  let address: string | undefined;
  let closed: Promise<void> | undefined;
  return {
    async listen(host, port) {
      const listening = await listen(server, options, host, port);
      ({ address } = listening);
      return listening.port;
    },
    close(graceMs) {
      shutdownSignal?.removeEventListener("abort", endStreams);
      health.set("NOT_SERVING");
      endStreams();
      closed ??= drain(server, address, graceMs);
      return closed;
    },
  };
}

function serverOptions(limits: RpcLimits) {
  return {
    "grpc.max_concurrent_streams": limits.maxConcurrentCalls,
    "grpc.max_receive_message_length": limits.maxMessageBytes,
    "grpc.max_send_message_length": limits.maxMessageBytes,
    "grpc.max_connection_age_ms": limits.maxConnectionAgeMs,
    "grpc.max_connection_age_grace_ms": limits.maxConnectionAgeGraceMs,
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
    "grpc-node.max_session_memory": MAX_SESSION_MEGABYTES,
    "grpc.enable_channelz": 0,
  };
}

function withPublishedServices(services: readonly RpcService[], health: HealthState): RpcService[] {
  const names = services.map(({ desc }) => desc.typeName);
  const withHealth = [...services, healthService(health, names)];
  return [...withHealth, ...reflectionServices(withHealth.map(({ desc }) => desc))];
}

/** Every method of the service answers, UNIMPLEMENTED where there is no implementation. */
function mount(
  server: Server,
  answers: Map<string, (call: UnaryCall) => void>,
  { desc, impl }: RpcService,
  options: HandlerOptions,
): void {
  for (const method of desc.methods) {
    if (!isPublished(method)) accessOf(method);
    prepareRules(method.input, create(method.input));
    const fn = impl[method.localName];
    const bound = fn && ((input: never, context: Parameters<typeof fn>[1]) => fn.call(impl, input, context));
    const path = `/${desc.typeName}/${method.name}`;
    const handler = handlerFor(method, bound, options);
    if (handler.kind === "unary") answers.set(path, handler.answer);
    const handle = handler.kind === "unary" ? answeredAlready : handler.handle;
    server.register(path, handle, asIs, asIs, handler.kind);
  }
}

/** grpc-js has to know of every method, and its own way to answer this one is never taken. */
function answeredAlready(): void {
  throw new Error("calls with one answer are answered by an interceptor");
}

/** The address is what {@link drain} needs, with the port that the system may have chosen. */
function listen(
  server: Server,
  { name, tls = NO_TLS }: Pick<RpcServerOptions, "name" | "tls">,
  host: string,
  port: number,
): Promise<Listening> {
  const addressOf = (somePort: number) => `${host.includes(":") ? `[${host}]` : host}:${somePort}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(addressOf(port), tls.server, (cause, boundPort) => {
      if (cause === null) resolve({ port: boundPort, address: addressOf(boundPort) });
      else reject(new Error(`${name}: ${addressOf(port)} ${whyNot(cause)}`, { cause }));
    });
  });
}

type Listening = { port: number; address: string };

function whyNot({ message }: Error): string {
  return message.includes("EADDRINUSE") ? "is already in use" : `cannot be listened on: ${message}`;
}

/**
 * `tryShutdown` waits for every connection, and one can stay open for ever. `forceShutdown` cuts connections off
 * only where grpc-js counts them for channelz; `drain` always does, if it comes first.
 */
function drain(server: Server, address: string | undefined, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const giveUp = setTimeout(resolve, graceMs + CUT_OFF_MS);
    if (address !== undefined) server.drain(address, graceMs);
    server.tryShutdown(() => {
      clearTimeout(giveUp);
      resolve();
    });
  });
}

function stopping(): BoxofficeError {
  return new BoxofficeError("DEPENDENCY_UNAVAILABLE", "the service is stopping; call again", {
    retryAfterMs: 1000,
  });
}
