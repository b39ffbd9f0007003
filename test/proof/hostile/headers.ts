import type { Random } from "../../faults/random.ts";
import type { HostileRequest } from "./request.ts";

type Header = [name: string, value: string];

/** Headers that mean something to somebody on the way, with values that mean nothing, or too much. */
const HOSTILE: Readonly<Record<string, readonly string[]>> = {
  authorization: [
    "Bearer",
    "Bearer ",
    "Bearer a.b.c",
    "Bearer \u00ff\u00fe",
    "Basic YTpi",
    `Bearer ${"a".repeat(7_000)}`,
    "bearer  x  y",
    "Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoib3BlcmF0b3IifQ.",
  ],
  "content-type": [
    "",
    "text/html",
    "application/json; charset=utf-16",
    "application/json;charset=latin1",
    "application/proto; x=y",
    "application/grpc-web-text",
    "application/grpc+json",
    "application/connect+xml",
    "application/grpc-web+thrift",
    "multipart/form-data; boundary=x",
    "application/json, application/proto",
    "\u00e4",
  ],
  "content-encoding": ["gzip", "br", "deflate", "gzip, gzip", "identity", "GZIP", "\u00ff", "compress"],
  "grpc-encoding": ["gzip", "br", "deflate", "identity", "snappy", "", "\u00ff"],
  "connect-content-encoding": ["gzip", "br", "", "zstd"],
  "accept-encoding": ["", "*", "br;q=0, gzip;q=0", "gzip;q=x", ",,,,", "x".repeat(4_000)],
  "grpc-accept-encoding": ["", "gzip,,", "\u00ff"],
  "connect-timeout-ms": ["0", "1", "-1", "1e3", "NaN", "99999999999", "9999999999", " 5", "soon", "5000"],
  "grpc-timeout": ["0n", "1n", "-1S", "99999999H", "999999999H", "1x", "", "1.5S", "S", "8000m", "\u00ff"],
  "connect-protocol-version": ["0", "2", "", "x", "1"],
  "grpc-status": ["0", "13"],
  "grpc-message": ["%", "%ff%fe"],
  "grpc-status-details-bin": ["!!!!", "AAAA"],
  "x-bad-bin": ["!!!!", "A", "AA==,BB", "\u00ff"],
  traceparent: [
    "00-0-0-0",
    "\u00ff",
    "00-ffffffffffffffffffffffffffffffff-0000000000000000-ff",
    "x".repeat(1_000),
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  ],
  tracestate: ["a=b,".repeat(100), "="],
  baggage: ["a=b,".repeat(500)],
  "x-request-id": ["x".repeat(65), "<script>", "\u00e4", "a b", "ok-1"],
  "x-forwarded-for": ["127.0.0.1", '::1, unknown, "', "999.1.1.1", ",".repeat(500)],
  "x-forwarded-host": ["evil.example"],
  origin: ["null", "https://evil.example", "\u00ff", "file://"],
  "access-control-request-method": ["POST", "DELETE", "\u00ff"],
  referer: ["https://evil.example/?q=1"],
  cookie: ["a=b; ".repeat(500)],
  accept: ["text/html", "*/*;q=x", ",", "application/xml"],
  range: ["bytes=0-1", "bytes=99999999999-", "lines=1"],
  "if-none-match": ["*", "W/", '"', "x".repeat(5_000)],
  "if-modified-since": ["yesterday"],
  "user-agent": ["", "\u00ff".repeat(200)],
  forwarded: ['for="[::1]:x"'],
  "max-forwards": ["-1"],
  "": ["empty name"],
  "x y": ["space in a name"],
};

/** What lies about how the request is written, so that HTTP/1.1 cannot go on afterwards. */
const BROKEN_1: readonly Header[] = [
  ["content-length", "-1"],
  ["content-length", "99999999999999999999"],
  ["content-length", "1e3"],
  ["content-length", "5, 5"],
  ["transfer-encoding", "chunked"],
  ["transfer-encoding", "gzip, chunked"],
  ["transfer-encoding", "identity"],
  ["transfer-encoding", "\u00ff"],
  ["expect", "100-continue"],
  ["expect", "x"],
  ["upgrade", "h2c"],
  ["upgrade", "websocket"],
  ["connection", "upgrade, http2-settings"],
  ["host", "["],
  ["host", ""],
  ["host", "a/b"],
  ["host", "x".repeat(5_000)],
  ["x-fold", "a\r\n b"],
  ["x-nul", "a\u0000b"],
];

/** Changes one header, or adds some. What decides how an answer must look can then not be told any more. */
export function mutateHeaders(request: HostileRequest, random: Random): HostileRequest {
  if (request.version === 1 && random.chance(0.25)) return breakHttp1(request, random);
  if (random.chance(0.05)) return withHeaders(request, flood(random));
  const name = random.pick(Object.keys(HOSTILE));
  const value = random.pick(HOSTILE[name] ?? []);
  const others = random.chance(0.8) ? request.headers.filter(([one]) => one !== name) : request.headers;
  return withHeaders({ ...request, headers: others }, [[name, value]]);
}

function withHeaders(request: HostileRequest, added: Header[]): HostileRequest {
  const names = added.map(([name]) => name);
  return {
    ...request,
    headers: [...request.headers, ...added],
    speech: names.some((name) => DECISIVE.test(name)) ? "any" : request.speech,
    // A name that HTTP does not allow, or more than it takes.
    isBroken: request.isBroken || names.some((name) => !/^[\w-]+$/.test(name)) || added.length > 1,
    hasTimeout:
      request.hasTimeout || names.some((name) => name.endsWith("timeout") || name.endsWith("timeout-ms")),
  };
}

/** Headers that decide which protocol it is, and whether a page is asked for. */
const DECISIVE = /^(content-type|accept|origin|access-control-request-method)$/;

function breakHttp1(request: HostileRequest, random: Random): HostileRequest {
  const [name, value] = random.pick(BROKEN_1);
  const others = random.chance(0.7) ? request.headers.filter(([one]) => one !== name) : request.headers;
  return { ...request, headers: [...others, [name, value]], speech: "any", isBroken: true };
}

function flood(random: Random): Header[] {
  const [count, length] = random.pick([
    [300, 20],
    [20, 1_000],
    [2, 60_000],
  ] as const);
  return Array.from({ length: count }, (_, index) => [`x-${index}`, "x".repeat(length)]);
}
