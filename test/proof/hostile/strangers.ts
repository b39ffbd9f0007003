import type { Random } from "../../faults/random.ts";
import { mutateBytes } from "./binary.ts";
import type { Door, HostileRequest } from "./request.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const PATHS = [
  "/",
  "/livez",
  "/readyz",
  "/metrics",
  "/openapi.json",
  "/operations",
  "/index.html",
  "/assets/",
  "/assets/../../package.json",
  "/..%2f..%2fpackage.json",
  "/%2e%2e/%2e%2e/package.json",
  "/assets/%00.js",
  "/assets/%ff",
  "/%",
  "/.git/config",
  "/favicon.ico",
  "//",
  "/\\..\\..\\package.json",
  `/${"a/".repeat(2_000)}`,
  "/?<script>",
  "http://elsewhere.example/",
  "*",
];

/** Whoever knocks at a door without knowing what is behind it: a scanner, a crawler, a broken client. */
export function drawStranger(door: Door, random: Random): HostileRequest {
  const request: HostileRequest = {
    door,
    version: 1,
    verb: random.pick([
      "GET",
      "GET",
      "GET",
      "HEAD",
      "POST",
      "PUT",
      "DELETE",
      "OPTIONS",
      "TRACE",
      "CONNECT",
      "PATCH",
      "BREW",
    ]),
    path: random.pick(PATHS),
    headers: [
      ["host", `${door.host}:${door.port}`],
      ["accept", random.pick(["*/*", "text/html", "application/json"])],
      ["connection", "close"],
      ["content-length", "0"],
    ],
    body: Buffer.alloc(0),
    method: undefined,
    speech: "any",
    kind: "stranger",
    isRouted: false,
    hasTimeout: false,
    isWatch: false,
    isBroken: true,
    leaves: random.chance(0.02),
  };
  return random.chance(0.4) ? request : { ...request, kind: "no HTTP", raw: noHttp(random) };
}

/** Bytes that are not what they begin to be, or not what anybody speaks here. */
function noHttp(random: Random): Buffer {
  const noise = Buffer.from(Array.from({ length: random.int(0, 300) }, () => random.int(0, 255)));
  switch (random.int(0, 8)) {
    case 0:
      return noise;
    case 1:
      return Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), noise]); // TLS
    case 2:
      return Buffer.from(PREFACE.slice(0, random.int(0, PREFACE.length)));
    case 3:
      return Buffer.concat([Buffer.from(PREFACE), noise]);
    case 4:
      return Buffer.concat([Buffer.from(PREFACE), mutateBytes(goodFrames(random), random)]);
    case 5:
      return Buffer.concat([Buffer.from(PREFACE), goodFrames(random), hostileFrame(random)]);
    case 6:
      return Buffer.concat([
        Buffer.from(PREFACE),
        frame(4, 0, 0, Buffer.alloc(0)),
        ...Array.from({ length: 300 }, () => hostileFrame(random)),
      ]);
    case 7:
      return mutateBytes(Buffer.from(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}`), random);
    default:
      return Buffer.from(
        random.pick([
          "GET / HTTP/0.9\r\n\r\n",
          "GET / HTTP/1.0\r\n\r\n",
          "GET /\r\n",
          "\r\n\r\n\r\n",
          "HELO mail\r\n",
          "*1\r\n$4\r\nPING\r\n",
          "GET / HTTP/9.9\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        ]),
      );
  }
}

/** SETTINGS, and a request with headers that nobody has to look up. */
function goodFrames(random: Random): Buffer {
  const path = "/boxoffice.reservation.v1.ReservationService/Reserve";
  const literal = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
  const block = Buffer.concat([
    Buffer.from([0x83, 0x86, 0x04]),
    literal(path),
    Buffer.from([0x01]),
    literal("a"),
    Buffer.from([0x0f, 0x10]),
    literal("application/grpc"),
  ]);
  const end = random.chance(0.5) ? [frame(0, 1, 1, Buffer.from([0, 0, 0, 0, 0]))] : [];
  return Buffer.concat([frame(4, 0, 0, Buffer.alloc(0)), frame(1, 4, 1, block), ...end]);
}

function hostileFrame(random: Random): Buffer {
  const payload = Buffer.alloc(random.pick([0, 1, 4, 5, 6, 8, 9, 100]), random.pick([0, 1, 0x7f, 0xff]));
  const made = frame(
    random.int(0, 12),
    random.int(0, 255),
    random.pick([0, 1, 2, 3, 5, 99, 2 ** 31 - 1]),
    payload,
  );
  if (random.chance(0.2)) made.writeUIntBE(random.pick([0, 1, 16_385, 2 ** 24 - 1]), 0, 3); // another length than it has
  return made;
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
