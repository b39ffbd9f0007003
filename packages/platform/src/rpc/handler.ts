import { once } from "node:events";
import {
  create,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type Message,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import type * as grpc from "@grpc/grpc-js";
import type { Logger } from "../log.ts";
import { annotate, isTracing, traced, traceIdOf } from "../tracing.ts";
import { isPublished } from "./access.ts";
import type { UnaryCall } from "./answer-unary.ts";
import { CALL_OVER, type CallContext, openContext } from "./call-context.ts";
import { callTimes, OK, openStreams } from "./call-times.ts";
import { decodeRequest, encode } from "./codec.ts";
import { Encoded } from "./encoded.ts";
import { type Invoke, intercept } from "./intercept.ts";
import { toMetadata } from "./metadata.ts";
import type { AnyMethod } from "./service.ts";
import { isFault, toGrpcStatus } from "./status.ts";

export type HandlerOptions = {
  /** The first one is the outermost. */
  interceptors: readonly Interceptor[];
  log: Logger;
  /** Streams that are open, for whoever must end them. */
  openStreams: Set<CallContext>;
};

export type Handler =
  | { kind: "unary"; answer: (call: UnaryCall) => void }
  | { kind: "serverStream" | "bidi"; handle: (call: StreamCall) => void };

/**
 * Answers the calls of a method on grpc-js with an implementation written for Connect. A stream of requests with
 * one answer is served like two streams.
 */
export function handlerFor(
  method: DescMethod,
  impl: AnyMethod | undefined,
  options: HandlerOptions,
): Handler {
  if (isUnary(method)) return { kind: "unary", answer: unaryHandler(method, impl, options) };
  const handle = streamHandler(method as DescMethodStreaming, impl, options);
  return { kind: method.methodKind === "server_streaming" ? "serverStream" : "bidi", handle };
}

const isUnary = (method: DescMethod): method is DescMethodUnary => method.methodKind === "unary";

function unaryHandler(
  method: DescMethodUnary,
  impl: AnyMethod | undefined,
  options: HandlerOptions,
): (call: UnaryCall) => void {
  const note = callTimes(method);
  const answer = async (call: UnaryCall) => {
    const startedMs = performance.now();
    const context = openContext(method, call);
    try {
      const response = await intercept(options.interceptors, async (request) => {
        const output = await callImpl(impl, request.message, contextFor(context, request));
        return {
          ...responseOf(context),
          stream: false,
          method,
          message: output instanceof Encoded ? (output as never) : create(method.output, output as Message),
        };
      })({
        ...requestOf(context),
        stream: false,
        method,
        message: decodeRequest(method.input, call.request),
      });
      const message: unknown = response.message;
      const bytes = message instanceof Encoded ? message.bytes : encode(method.output, message as Message);
      call.succeed(bytes, toMetadata(response.header), toMetadata(response.trailer));
      note(endOf(context), startedMs);
      annotate({ "rpc.grpc.status_code": endOf(context) });
    } catch (error) {
      logFault(error, context, options.log);
      const status = toGrpcStatus(error, context.responseTrailer);
      call.fail(status);
      note(endOf(context) || status.code, startedMs);
      annotate({ "rpc.grpc.status_code": endOf(context) || status.code });
    } finally {
      context.abort(CALL_OVER);
    }
  };
  const span = { kind: "SERVER", attributes: { "rpc.system": "grpc" } } as const;
  return (call) => {
    if (!isTracing() || isPublished(method)) return void answer(call);
    const [parent] = call.metadata.get("traceparent");
    void traced(nameOf(method), { ...span, parent: parent?.toString() }, () => answer(call));
  };
}

type StreamCall = grpc.ServerWritableStream<Buffer, Buffer> | grpc.ServerDuplexStream<Buffer, Buffer>;

function streamHandler(
  method: DescMethodStreaming,
  impl: AnyMethod | undefined,
  options: HandlerOptions,
): (call: StreamCall) => Promise<void> {
  const open = openStreams(method);
  return async (call) => {
    const context = openContext(method, call);
    const end = endOnce(call, context);
    // The caller is answered as soon as the call is aborted, however long the handler takes to notice.
    context.signal.addEventListener("abort", () => end(context.signal.reason));
    options.openStreams.add(context);
    open.inc();
    try {
      const response = await intercept(options.interceptors, async (request) => {
        const message = outputs(
          method,
          impl,
          request.message as AsyncIterable<Message>,
          contextFor(context, request),
        );
        return { ...responseOf(context), stream: true, method, message };
      })({ ...requestOf(context), stream: true, method, message: requests(method, call) });
      let isHeaderSent = false;
      for await (const message of response.message as AsyncIterable<Message>) {
        if (context.signal.aborted) break;
        if (!isHeaderSent) call.sendMetadata(toMetadata(response.header)); // the handler may set it until now
        isHeaderSent = true;
        const isRoomLeft = call.write(encode(method.output, message));
        if (!isRoomLeft) await once(call, "drain", { signal: context.signal });
      }
      if (!isHeaderSent && !context.signal.aborted) call.sendMetadata(toMetadata(response.header));
      end();
    } catch (error) {
      logFault(error, context, options.log);
      end(error);
    } finally {
      options.openStreams.delete(context);
      open.dec();
      context.abort(CALL_OVER);
    }
  };
}

type AnyRequest = Parameters<Invoke>[0];

function requestOf(context: CallContext) {
  return {
    service: context.service,
    requestMethod: context.requestMethod,
    url: context.url,
    signal: context.signal,
    header: context.requestHeader,
    contextValues: context.values,
  };
}

function responseOf({ service, responseHeader, responseTrailer }: CallContext) {
  return { service, header: responseHeader, trailer: responseTrailer };
}

/** Of a call that was cut off, how it ended for its caller, whatever the handler says. */
function endOf({ signal }: CallContext): number {
  if (!signal.aborted) return OK;
  return signal.reason instanceof ConnectError ? signal.reason.code : Code.Canceled;
}

/** The handler sees what the interceptors made of the request. */
function contextFor(context: CallContext, request: AnyRequest): HandlerContext {
  return { ...context, requestHeader: request.header, signal: request.signal, values: request.contextValues };
}

function callImpl(impl: AnyMethod | undefined, input: unknown, context: HandlerContext): unknown {
  if (impl !== undefined) return impl(input as never, context);
  throw new ConnectError(`${nameOf(context.method)} is not implemented`, Code.Unimplemented);
}

async function* outputs(
  method: DescMethodStreaming,
  impl: AnyMethod | undefined,
  input: AsyncIterable<Message>,
  context: HandlerContext,
): AsyncIterable<Message> {
  if (method.methodKind === "client_streaming") {
    yield create(method.output, (await callImpl(impl, input, context)) as Message);
    return;
  }
  const only = method.methodKind === "server_streaming" ? await first(input) : input;
  const messages = callImpl(impl, only, context) as AsyncIterable<Message>;
  for await (const message of messages) yield create(method.output, message);
}

async function first(messages: AsyncIterable<Message>): Promise<Message> {
  for await (const message of messages) return message;
  throw new ConnectError("the request has no message", Code.InvalidArgument);
}

async function* requests(method: DescMethod, call: StreamCall): AsyncIterable<Message> {
  if ("request" in call) {
    yield decodeRequest(method.input, call.request);
    return;
  }
  // A handler may stop reading and go on writing: the call must not end with this loop.
  for await (const bytes of call.iterator({ destroyOnReturn: false }))
    yield decodeRequest(method.input, bytes);
}

/** Ends the call with its trailer or with an error; only the first time counts. */
function endOnce(call: StreamCall, context: CallContext): (error?: unknown) => void {
  let ended = false;
  return (error) => {
    if (ended) return;
    ended = true;
    if (call.cancelled) return;
    if (error === undefined) call.end(toMetadata(context.responseTrailer));
    else call.emit("error", toGrpcStatus(error, context.responseTrailer));
  };
}

/** Once per call, with its method and never with what was sent. What fails after the caller went is no fault. */
function logFault(error: unknown, { method, signal, requestHeader }: CallContext, log: Logger): void {
  if (!isFault(error) || signal.aborted) return;
  const traceId = traceIdOf(requestHeader.get("traceparent"));
  log.error(
    { method: nameOf(method), error, ...(traceId && { trace_id: traceId }) },
    "a call failed unexpectedly",
  );
}

const nameOf = (method: DescMethod): string => `${method.parent.typeName}/${method.name}`;
