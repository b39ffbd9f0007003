import type { DescService } from "@bufbuild/protobuf";
import { type CallOptions, type Client, createClient, type Transport } from "@connectrpc/connect";

/**
 * Connect's `createClient`, except that leaving the loop over a stream early cancels the call: Connect's iterables
 * have no `return`, so that a `break` would leave the call open until somebody aborts it.
 */
export function createRpcClient<Service extends DescService>(
  desc: Service,
  transport: Transport,
): Client<Service> {
  const client: Record<string, AnyCall> = { ...createClient(desc, transport) };
  for (const { localName, methodKind } of desc.methods) {
    const call = client[localName];
    const isStream = methodKind === "server_streaming" || methodKind === "bidi_streaming";
    if (call !== undefined && isStream) client[localName] = cancelOnReturn(call as StreamCall);
  }
  return client as Client<Service>;
}

type AnyCall = (input: never, options?: CallOptions) => unknown;
type StreamCall = (input: never, options?: CallOptions) => AsyncIterable<unknown>;

function cancelOnReturn(call: StreamCall): StreamCall {
  return (input, options = {}) => {
    const left = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
    const messages = call(input, { ...options, signal });
    return {
      [Symbol.asyncIterator]() {
        const iterator = messages[Symbol.asyncIterator]();
        return {
          next: () => iterator.next(),
          async return() {
            left.abort();
            return { done: true, value: undefined };
          },
        };
      },
    };
  };
}
