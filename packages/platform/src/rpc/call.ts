import { once } from "node:events";
import { type DescMessage, type DescMethod, fromBinary, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { type Client, type ClientDuplexStream, Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { asIs, encode } from "./codec.ts";
import { toCallError } from "./connection-error.ts";
import { toHeaders, toMetadata } from "./metadata.ts";
import { fromGrpcStatus } from "./status.ts";

/** Until when a call may take, in milliseconds since the epoch; undefined for as long as it takes. */
export type CallOptions = { deadline?: number };

/** One call with one answer, over a connection of grpc-js. */
export async function callUnary(client: Client, request: UnaryRequest, options: CallOptions) {
  const { method, signal } = request;
  refuseAborted(signal);
  const { header, bytes, trailer } = await new Promise<UnaryAnswer>((resolve, reject) => {
    let answer: Buffer | undefined;
    let answerHeader = new Metadata();
    const metadata = toMetadata(request.header);
    const message = encode(method.input, request.message as Message);
    const call = client.makeUnaryRequest(
      pathOf(method),
      asIs,
      asIs,
      message,
      metadata,
      options,
      (_error, value) => {
        answer = value;
      },
    );
    const cancel = () => call.cancel();
    signal.addEventListener("abort", cancel);
    call.on("metadata", (received: Metadata) => {
      answerHeader = received;
    });
    // Comes after the callback above, and says all that its error does.
    call.on("status", (ended: StatusObject) => {
      signal.removeEventListener("abort", cancel);
      if (answer !== undefined) resolve({ header: answerHeader, bytes: answer, trailer: ended.metadata });
      else reject(toFailure(ended, signal, wasSent(client, call)));
    });
  });
  const message = decodeAnswer(method.output, bytes);
  return {
    ...responseOf(method),
    stream: false as const,
    message,
    header: toHeaders(header),
    trailer: toHeaders(trailer),
  };
}

type UnaryAnswer = { header: Metadata; bytes: Buffer; trailer: Metadata };

/** One call with a stream of messages in either direction, or in both. */
export async function callStream(client: Client, request: StreamRequest, options: CallOptions) {
  const { method, signal } = request;
  refuseAborted(signal);
  const call = client.makeBidiStreamRequest(pathOf(method), asIs, asIs, toMetadata(request.header), options);
  const ended = new Promise<StatusObject>((resolve) => call.on("status", resolve));
  call.on("error", () => undefined); // `ended` says what it says
  const cancel = () => call.cancel();
  signal.addEventListener("abort", cancel);
  const sending = sendAll(call, method.input, request.message as AsyncIterable<Message>, ended);
  const trailer = new Headers();
  void ended.then(({ metadata }) => {
    signal.removeEventListener("abort", cancel);
    for (const [key, value] of toHeaders(metadata)) trailer.append(key, value);
  });

  async function* messages(): AsyncIterable<Message> {
    try {
      for await (const bytes of readAll(call)) yield decodeAnswer(method.output, bytes);
      const final = await ended;
      if (final.code !== status.OK) {
        throw (await sending) ?? toFailure(final, signal, wasSent(client, call));
      }
    } finally {
      call.cancel(); // the loop was left early
    }
  }
  const header = await headerOf(call, ended);
  return { ...responseOf(method), stream: true as const, message: messages(), header, trailer };
}

const pathOf = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`;

function responseOf<Method extends DescMethod>(method: Method) {
  return { service: method.parent, method };
}

/** grpc-js names the peer of a call once there is a connection for it, and until then the target of the channel. */
function wasSent(client: Client, call: { getPeer(): string }): boolean {
  return call.getPeer() !== client.getChannel().getTarget();
}

function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw ConnectError.from(signal.reason, Code.Canceled);
}

/** A cancellation that nobody here asked for is a server that cut the call off. */
function toFailure(ended: StatusObject, signal: AbortSignal, sent: boolean): unknown {
  if (ended.code !== status.CANCELLED) return toCallError(fromGrpcStatus(ended), sent);
  if (signal.aborted) return ConnectError.from(signal.reason, Code.Canceled);
  return toCallError(new ConnectError(ended.details, Code.Unavailable), sent);
}

function decodeAnswer(desc: DescMessage, bytes: Buffer): Message {
  try {
    return fromBinary(desc, bytes);
  } catch (error) {
    throw malformed(desc, error);
  }
}

function malformed({ typeName }: DescMessage, cause: unknown): ConnectError {
  return new ConnectError(
    `the answer is not a valid ${typeName}`,
    Code.Internal,
    undefined,
    undefined,
    cause,
  );
}

type DuplexCall = ClientDuplexStream<Buffer, Buffer>;

/** Sends what there is to send and returns the error of the one who produces it, which ends the call. */
async function sendAll(
  call: DuplexCall,
  desc: DescMessage,
  messages: AsyncIterable<Message>,
  ended: Promise<StatusObject>,
): Promise<unknown> {
  const over = new AbortController();
  void ended.then(() => over.abort());
  try {
    for await (const message of messages) {
      if (over.signal.aborted) return undefined;
      if (!call.write(encode(desc, message))) await once(call, "drain", { signal: over.signal });
    }
    call.end();
    return undefined;
  } catch (error) {
    call.cancel();
    return over.signal.aborted ? undefined : error;
  }
}

/** Errors are left to the status, which carries the same and more. */
async function* readAll(call: DuplexCall): AsyncIterable<Buffer> {
  try {
    yield* call as AsyncIterable<Buffer>;
  } catch {
    return;
  }
}

function headerOf(call: DuplexCall, ended: Promise<StatusObject>): Promise<Headers> {
  return new Promise((resolve) => {
    call.once("metadata", (metadata: Metadata) => resolve(toHeaders(metadata)));
    void ended.then(() => resolve(new Headers()));
  });
}
