import type { Interceptor, Transport } from "@connectrpc/connect";
import { universalClientResponseFromFetch } from "@connectrpc/connect/protocol";
import { createTransport } from "@connectrpc/connect/protocol-connect";

export type FetchTransportOptions = {
  /** Of the gateway. */
  baseUrl: string;
  /** JSON instead of binary. */
  json?: boolean;
  interceptors?: readonly Interceptor[];
};

/** What a browser's client does, over `fetch`. */
export function fetchTransport({ baseUrl, json, interceptors = [] }: FetchTransportOptions): Transport {
  return createTransport({
    baseUrl,
    httpClient: async ({ url, method, header, body, signal }) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of body ?? []) chunks.push(chunk);
      header.set("accept-encoding", "identity"); // what fetch unpacks it would still call packed
      const init = { method, headers: header, body: Buffer.concat(chunks), ...(signal && { signal }) };
      return universalClientResponseFromFetch(await fetch(url, init));
    },
    useBinaryFormat: json !== true,
    interceptors: [...interceptors],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: 1024,
    readMaxBytes: 4 * 1024 * 1024,
    writeMaxBytes: 4 * 1024 * 1024,
  });
}
