import { type Metadata, type ServerInterceptor, type StatusObject, status } from "@grpc/grpc-js";
import type { ServerCall } from "./call-context.ts";

/** A call with one request and one answer. */
export type UnaryCall = ServerCall & {
  readonly request: Buffer;
  succeed(response: Uint8Array, header: Metadata, trailer: Metadata): void;
  fail(status: StatusObject): void;
};

/**
 * Answers calls with one request and one answer, by the path of their method, in place of grpc-js: that makes a writable
 * stream for each of them, which outlives it with all that the call held (see ended-streams.ts).
 *
 * @param answers what answers a method's calls; it ends each of them, once
 */
export function answerUnary(answers: ReadonlyMap<string, (call: UnaryCall) => void>): ServerInterceptor {
  return ({ path }, call) => {
    const answer = answers.get(path);
    if (answer !== undefined) call.start = startWith(call.start.bind(call), new Exchange(call, answer));
    return call as ReturnType<ServerInterceptor>;
  };
}

type GrpcCall = Parameters<ServerInterceptor>[1];
type Start = GrpcCall["start"];

/** In a function of its own, for what explain-refusals.ts says of such. */
const startWith = (start: Start, listener: Parameters<Start>[0]) => () => start(listener);

/** What grpc-js tells of a call, and how it is answered. */
class Exchange implements UnaryCall {
  metadata!: Metadata;
  request!: Buffer;
  readonly #call: GrpcCall;
  readonly #answer: (call: UnaryCall) => void;
  #hasRequest = false;
  #onCancelled: (() => void) | undefined;

  constructor(call: GrpcCall, answer: (call: UnaryCall) => void) {
    this.#call = call;
    this.#answer = answer;
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.metadata = metadata;
    this.#call.startRead();
  }

  onReceiveMessage(request: Buffer): void {
    if (this.#hasRequest) {
      this.#refuse("Received a second request message");
      return;
    }
    this.#hasRequest = true;
    this.request = request;
    this.#call.startRead();
  }

  onReceiveHalfClose(): void {
    if (this.#hasRequest) this.#answer(this);
    else this.#refuse("Received no request message");
  }

  /** grpc-js says so at the end of every call. */
  onCancel(): void {
    this.#onCancelled?.();
  }

  getDeadline(): Date | number {
    return this.#call.getDeadline();
  }

  on(_event: "cancelled", listener: () => void): void {
    this.#onCancelled = listener;
  }

  succeed(response: Uint8Array, header: Metadata, trailer: Metadata): void {
    const call = this.#call;
    call.sendMetadata(header);
    call.sendMessage(response, () => call.sendStatus({ code: status.OK, details: "OK", metadata: trailer }));
  }

  fail(refusal: StatusObject): void {
    this.#call.sendStatus(refusal);
  }

  /** In the words of grpc-js, which explain-refusals.ts knows. */
  #refuse(details: string): void {
    this.#call.sendStatus({ code: status.UNIMPLEMENTED, details, metadata: null });
  }
}
