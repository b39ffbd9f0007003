import { decodeBinaryHeader, encodeBinaryHeader } from "@connectrpc/connect";
import { Metadata } from "@grpc/grpc-js";

/** What belongs to the protocol, not to the call: grpc-js sets it itself. */
const PROTOCOL_HEADER = /^(grpc-.*|:.*|content-(type|length)|te|user-agent|connection|host|accept-encoding)$/;

/** gRPC metadata as the Fetch API's headers, which Connect's handlers and interceptors use. */
export function toHeaders(metadata: Metadata): Headers {
  const headers = new Headers();
  for (const [key, values] of Object.entries(metadata.toJSON())) {
    for (const value of values)
      headers.append(key, typeof value === "string" ? value : encodeBinaryHeader(value));
  }
  return headers;
}

export function toMetadata(headers: Headers): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of headers) {
    if (PROTOCOL_HEADER.test(key)) continue;
    if (!key.endsWith("-bin")) metadata.add(key, value);
    else for (const part of value.split(",")) metadata.add(key, Buffer.from(decodeBinaryHeader(part.trim())));
  }
  return metadata;
}
