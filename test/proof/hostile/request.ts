import type { DescMethod } from "@bufbuild/protobuf";

/** A port of the box office. */
export type Door = { name: string; host: string; port: number };

/** How the answer must be written; `any` where the request is such that nobody could tell. */
export type Speech = "connect" | "connect-stream" | "grpc-web" | "grpc" | "any";

/** What is sent: one request of HTTP, whatever it holds. */
export type HostileRequest = {
  door: Door;
  /** Of HTTP. */
  version: 1 | 2;
  verb: string;
  path: string;
  headers: [name: string, value: string][];
  body: Buffer;
  /** What it was meant for; undefined for what is no method. */
  method: DescMethod | undefined;
  speech: Speech;
  /** In a word, for counting. */
  kind: string;
  /** Whether the door knows the method, so that it must not say that it does not. */
  isRouted: boolean;
  /** Whether the client itself set a time, which may be over. */
  hasTimeout: boolean;
  /** Whether the answer may be a stream that has no end of its own. */
  isWatch: boolean;
  /** HTTP itself is broken, or the client leaves: no answer is owed, only an end. */
  isBroken: boolean;
  /** The client is gone before the answer. */
  leaves: boolean;
  /** Written onto a connection as it is, in place of all that. */
  raw?: Buffer;
};

/** What came back. */
export type HostileAnswer =
  | {
      kind: "answered";
      status: number;
      headers: Record<string, string>;
      body: Buffer;
      trailers: Record<string, string>;
      /** Cut off by the client, who had seen enough: its end is missing. */
      isCut: boolean;
    }
  | { kind: "closed"; why: string }
  | { kind: "late" };

/** Enough to send it again by hand. */
export function describeRequest(request: HostileRequest): string {
  const { door, version, verb, path, headers, body, kind } = request;
  const shown = (request.raw ?? body).subarray(0, 300).toString("base64");
  const said = headers
    .map(([name, value]) => `${name}: ${value.length > 100 ? `${value.slice(0, 100)}…` : value}`)
    .join("; ");
  return `${kind} at ${door.name} over HTTP/${version}: ${verb} ${path.slice(0, 300)} {${said}} ${body.length} bytes, base64 ${shown}`;
}
