import { isIPv4 } from "node:net";
import { create, type DescMessage, type DescMethod, type Message } from "@bufbuild/protobuf";
import {
  createContextValues,
  type Interceptor,
  type StreamResponse,
  type Transport,
  type UnaryResponse,
} from "@connectrpc/connect";
import { Client } from "@grpc/grpc-js";
import { NO_TLS, type Tls } from "../tls.ts";
import { activeTraceparent, isTracing, traced } from "../tracing.ts";
import { isPublished } from "./access.ts";
import { callStream, callUnary } from "./call.ts";
import { intercept } from "./intercept.ts";

export type GrpcTransportOptions = {
  /** For unary calls that name no `timeoutMs`; one of 0 sets no limit. Streams have none by default. */
  defaultTimeoutMs: number;
  /** The token to show where a call has no `authorization` header of its own. */
  bearer?: () => Promise<string> | string;
  /** How the connection is secured; not at all unless given. */
  tls?: Pick<Tls, "channel">;
  /** The first one is the outermost. */
  interceptors?: readonly Interceptor[];
};

export type GrpcTransport = Transport & { close(): void };

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

const CHANNEL_OPTIONS = {
  "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  "grpc.service_config_disable_resolution": 1,
  "grpc.enable_http_proxy": 0,
  "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
  "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  // A replica that was restarted is found again within half a second, where grpc-js would wait up to two minutes: by
  // then the next one may be told to stop.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 400,
  "grpc.dns_min_time_between_resolutions_ms": 5000,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.enable_channelz": 0,
};

/**
 * A transport for Connect's clients over a gRPC connection, for calls between services.
 *
 * Calls throw the BoxofficeError of the service that was called, DEPENDENCY_UNAVAILABLE when it cannot be reached
 * or the connection is lost (`wasNeverSent` tells these apart), and a ConnectError for deadlines, cancellations
 * and faults.
 *
 * @param address `host:port`, where calls go to every address of the host in turn, or `ip:port,ip:port`
 */
export function createGrpcTransport(address: string, options: GrpcTransportOptions): GrpcTransport {
  const { bearer, defaultTimeoutMs, tls = NO_TLS } = options;
  const client = new Client(targetOf(address), tls.channel, CHANNEL_OPTIONS);
  const interceptors = [...(options.interceptors ?? []), ...(bearer ? [showBearer(bearer)] : [])];
  const invoke = (timeoutMs: number | undefined) => {
    const callOptions = timeoutMs !== undefined && timeoutMs > 0 ? { deadline: Date.now() + timeoutMs } : {};
    return intercept(interceptors, (request) =>
      request.stream ? callStream(client, request, callOptions) : callUnary(client, request, callOptions),
    );
  };
  return {
    async unary<I extends DescMessage, O extends DescMessage>(...call: Parameters<Transport["unary"]>) {
      const [method, , timeoutMs, , input] = call;
      const message = create(method.input, input);
      const request = { ...requestOf(call), stream: false, method, message } as const;
      const send = () => invoke(timeoutMs ?? defaultTimeoutMs)(request);
      const response = await (isTracing() ? tracedCall(method, request.header, send) : send());
      return response as UnaryResponse<I, O>;
    },
    async stream<I extends DescMessage, O extends DescMessage>(...call: Parameters<Transport["stream"]>) {
      const [method, , timeoutMs, , input] = call;
      const message = createEach(method.input, input);
      const response = await invoke(timeoutMs)({ ...requestOf(call), stream: true, method, message });
      return response as StreamResponse<I, O>;
    },
    close: () => client.close(),
  };
}

/** The service that is called takes part in the span of the call. */
function tracedCall<T>(method: DescMethod, header: Headers, send: () => Promise<T>): Promise<T> {
  if (isPublished(method)) return send();
  const parent = header.get("traceparent") ?? undefined;
  return traced(`${method.parent.typeName}/${method.name}`, { kind: "CLIENT", parent }, () => {
    header.set("traceparent", activeTraceparent() ?? "");
    return send();
  });
}

type AnyCall = Parameters<Transport["unary"]> | Parameters<Transport["stream"]>;

function requestOf([method, signal, , header, , contextValues]: AnyCall) {
  return {
    service: method.parent,
    requestMethod: "POST",
    url: `http://grpc/${method.parent.typeName}/${method.name}`,
    signal: signal ?? NEVER,
    header: new Headers(header),
    contextValues: contextValues ?? createContextValues(),
  };
}

const NEVER = new AbortController().signal;

async function* createEach(
  desc: DescMessage,
  messages: AsyncIterable<Record<string, unknown>>,
): AsyncIterable<Message> {
  for await (const message of messages) yield create(desc, message);
}

function showBearer(bearer: () => Promise<string> | string): Interceptor {
  return (next) => async (request) => {
    if (!request.header.has("authorization")) request.header.set("authorization", `Bearer ${await bearer()}`);
    return next(request);
  };
}

/** grpc-js takes several addresses only where they are IP addresses of one version. */
function targetOf(address: string): string {
  if (!address.includes(",")) return address;
  const hosts = address.split(",").map((part) => part.slice(0, part.lastIndexOf(":")));
  if (hosts.every((host) => isIPv4(host))) return `ipv4:${address}`;
  if (hosts.every((host) => host.startsWith("["))) return `ipv6:${address}`;
  throw new Error(
    `${address}: a list must hold IP addresses; for several hosts use a name that resolves to them`,
  );
}
