import { BoxofficeError, fromConnectError, type Reason } from "@boxoffice/platform/errors.ts";
import type { DescMessage, DescMethodUnary, Message, MessageShape } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";

/**
 * What a client was told. `unknown` is everything that leaves open whether the call took effect: a lost
 * connection, a deadline, a fault, or no answer yet.
 */
export type Told<Answer> =
  | { kind: "answered"; answer: Answer }
  | { kind: "refused"; reason: Reason; metadata: Record<string, string> }
  | { kind: "unknown"; error: unknown };

/** One call of one client. Times are milliseconds of `performance.now()`. */
export type Call<Request = Message, Answer = Message> = {
  service: string;
  method: string;
  request: Request;
  startedAtMs: number;
  /** Infinity while it has not ended. */
  endedAtMs: number;
  told: Told<Answer>;
};

/** Reasons after which a call may have taken effect all the same. */
const OPEN_REASONS: readonly Reason[] = ["DEPENDENCY_UNAVAILABLE"];

/** Everything that clients asked and were told in a run, in the order in which they began to ask. */
export class History {
  readonly calls: Call[] = [];

  /** Have the transports of all clients use it, innermost, so that it sees what goes out and what comes back. */
  readonly interceptor: Interceptor = (next) => async (request) => {
    if (request.stream) return next(request);
    const call: Call = {
      service: request.service.typeName,
      method: request.method.name,
      request: request.message as Message,
      startedAtMs: performance.now(),
      endedAtMs: Number.POSITIVE_INFINITY,
      told: { kind: "unknown", error: "no answer yet" },
    };
    this.calls.push(call);
    try {
      const response = await next(request);
      call.told = { kind: "answered", answer: response.message as Message };
      return response;
    } catch (error) {
      call.told = toldBy(error);
      throw error;
    } finally {
      call.endedAtMs = performance.now();
    }
  };

  /** The calls of one method. */
  of<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodUnary<Input, Output>,
  ): Call<MessageShape<Input>, MessageShape<Output>>[] {
    const { typeName } = method.parent;
    const calls = this.calls.filter((call) => call.method === method.name && call.service === typeName);
    return calls as unknown as Call<MessageShape<Input>, MessageShape<Output>>[];
  }
}

/** What an error tells the client who catches it. */
export function toldBy(error: unknown): Told<never> {
  const own = fromConnectError(error);
  if (!(own instanceof BoxofficeError) || OPEN_REASONS.includes(own.reason))
    return { kind: "unknown", error };
  return { kind: "refused", reason: own.reason, metadata: own.metadata };
}
