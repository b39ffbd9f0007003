import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { chooseEncoding, matchesEtag } from "./content-coding.ts";
import type { Exchange } from "./exchange.ts";

export const API_DESCRIPTION_PATH = "/openapi.json";

/** Answers with the JSON API as OpenAPI, which is made from the contract. */
export function openApiDescription(): (exchange: Exchange) => void {
  const identity = readFileSync(fileURLToPath(import.meta.resolve("@boxoffice/proto/openapi.json")));
  const forms = { identity, gzip: gzipSync(identity), br: brotliCompressSync(identity) };
  const hash = createHash("sha256").update(identity).digest("base64url").slice(0, 22);
  return (exchange) => {
    const encoding = chooseEncoding(exchange.header("accept-encoding"));
    const etag = `"${hash}-${encoding}"`;
    const headers = [
      "content-type",
      "application/json",
      "cache-control",
      "public, max-age=300",
      "etag",
      etag,
    ];
    if (matchesEtag(exchange.header("if-none-match"), etag)) return exchange.send(304, headers);
    const body = forms[encoding];
    if (encoding !== "identity") headers.push("content-encoding", encoding);
    exchange.send(200, [...headers, "content-length", String(body.length)], body);
  };
}
