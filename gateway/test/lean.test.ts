import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync, gzipSync } from "node:zlib";
import { BoxofficeError, invalidField } from "@boxoffice/platform/errors.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import {
  AvailabilityStatus,
  GetAvailabilityRequestSchema,
  ReserveRequestSchema,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { create, toBinary } from "@bufbuild/protobuf";
import { compressionGzip, connectNodeAdapter } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { JSON_OPTIONS } from "../json-options.ts";
import { mountRoutes } from "../routes.ts";
import { AVAILABILITY, EVENT_ID, RESERVE, startGateway, type TestGateway } from "./harness.ts";

const PAYMENT = "boxoffice.payment.v1.PaymentService/GetPayment";

let gateway: TestGateway;
let oracle: Server;

/** Our own handling of unary calls, and Connect's handler in front of the same services. */
beforeAll(async () => {
  gateway = await startGateway({
    reservation: {
      getAvailability: ({ eventId }, { timeoutMs }) => ({
        eventId,
        ticketTypes: Array.from({ length: eventId === EVENT_ID ? 1 : 20 }, () => ({
          name: "Stehplatz „Süd“ 🎫",
          price: { currencyCode: "EUR", minorUnits: 2n ** 60n },
          status: AvailabilityStatus.ON_SALE,
          salesStart: { seconds: 1_800_000_000n, nanos: 5_000_000 },
        })),
        asOf: { seconds: BigInt((timeoutMs() ?? 0) > 0) },
      }),
      reserve: ({ items }) => {
        const quantity = items[0]?.quantity ?? 0;
        if (quantity === 1) throw new BoxofficeError("SOLD_OUT", "sold out", { metadata: { available: 1 } });
        if (quantity === 2) throw invalidField("items[0].quantity", "is not today’s");
        if (quantity === 3) throw new BoxofficeError("OVERLOADED", "busy", { retryAfterMs: 1500 });
        if (quantity === 4) throw new Error("a secret");
        if (quantity === 5) throw new BoxofficeError("DEPENDENCY_UNAVAILABLE", "not now");
        return { reservation: { eventId: EVENT_ID, expiresIn: { seconds: 900n } } };
      },
    },
    payment: { getPayment: () => new Promise(() => undefined) },
  });
  const log = createLogger("oracle", "silent");
  const adapter = connectNodeAdapter({
    routes: (router) => mountRoutes(router, { ...gateway.routeOptions, log }),
    readMaxBytes: 64 * 1024,
    maxTimeoutMs: 30_000,
    acceptCompression: [compressionGzip],
    jsonOptions: JSON_OPTIONS,
  });
  oracle = createServer(adapter);
  await new Promise<void>((resolve) => oracle.listen(0, "127.0.0.1", resolve));
});

afterAll(async () => {
  oracle.closeAllConnections();
  await new Promise((resolve) => oracle.close(resolve));
  await gateway[Symbol.asyncDispose]();
});

type Sent = { path?: string; method?: string; headers?: Record<string, string>; body?: string | Uint8Array };

const JSON_TYPE = { "content-type": "application/json" };
const PROTO_TYPE = { "content-type": "application/proto" };
const asked = JSON.stringify({ eventId: EVENT_ID });
const askedMore = JSON.stringify({ eventId: EVENT_ID.replace(/1$/, "2") });
const askedBinary = toBinary(
  GetAvailabilityRequestSchema,
  create(GetAvailabilityRequestSchema, { eventId: EVENT_ID }),
);
const wish = (quantity: number) => ({ eventId: EVENT_ID, items: [{ ticketTypeId: EVENT_ID, quantity }] });
const wishBinary = (quantity: number) =>
  toBinary(ReserveRequestSchema, create(ReserveRequestSchema, wish(quantity)));
const json = (body: string | Uint8Array, headers = {}): Sent => ({
  body,
  headers: { ...JSON_TYPE, ...headers },
});
const proto = (body: Uint8Array, headers = {}): Sent => ({ body, headers: { ...PROTO_TYPE, ...headers } });
const get = (query: string, headers = {}): Sent => ({
  path: `${AVAILABILITY}?${query}`,
  method: "GET",
  headers,
});
const reserve = (sent: Sent): Sent => ({ path: RESERVE, ...sent });
const encoded = encodeURIComponent(asked);
const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString("base64url");
const gzipped = { "content-encoding": "gzip" };

const SAME: [what: string, sent: Sent][] = [
  ["JSON", json(asked)],
  ["JSON with its character set", json(asked, { "content-type": "application/json; charset=utf-8" })],
  ["JSON in capitals", json(asked, { "content-type": "Application/JSON;charset=UTF8" })],
  ["JSON with a byte order mark", json(`\ufeff${asked}`)],
  ["JSON with the protocol's version", json(asked, { "connect-protocol-version": "1" })],
  ["unknown fields", json(JSON.stringify({ eventId: EVENT_ID, later: { a: [1] } }))],
  ["names as in the proto", json(JSON.stringify({ event_id: EVENT_ID }))],
  ["binary", proto(askedBinary)],
  ["binary with an unknown field", proto(Buffer.concat([askedBinary, Buffer.from([0x9a, 0x06, 1, 65])]))],
  ["gzip", json(gzipSync(asked), gzipped)],
  ["gzip, binary", proto(gzipSync(askedBinary), gzipped)],
  ["gzip of nothing, binary", reserve(proto(new Uint8Array(), gzipped))],
  ["an answer long enough to compress", json(askedMore, { "accept-encoding": "br, gzip" })],
  ["one too short for it", json(asked, { "accept-encoding": "gzip" })],
  ["whoever sends gzip can read it", json(gzipSync(askedMore), gzipped)],
  ["unless he says what he reads", json(gzipSync(askedMore), { ...gzipped, "accept-encoding": "br" })],
  ["GET", get(`encoding=json&message=${encoded}`)],
  ["GET with the protocol's version", get(`connect=v1&encoding=json&message=${encoded}`)],
  ["GET with a type", get(`encoding=json&message=${encoded}`, JSON_TYPE)],
  ["GET, binary", get(`encoding=proto&base64=1&message=${base64(askedBinary)}`)],
  ["GET, base64", get(`encoding=json&base64=1&message=${Buffer.from(asked).toString("base64")}`)],
  ["GET, gzip", get(`encoding=json&base64=1&compression=gzip&message=${base64(gzipSync(asked))}`)],
  ["GET with a plus", get(`encoding=json&message=${encoded.replace("%3A", "%3A+")}`)],
  ["a client's time", json(asked, { "connect-timeout-ms": "5000" })],
  [
    "a client's time that is over",
    {
      ...json("{}", { "connect-timeout-ms": "1" }),
      path: PAYMENT,
      body: '{"paymentId":"0198c1f0-0000-7000-8000-000000000001"}',
    },
  ],
  ["no time at all", json(asked, { "connect-timeout-ms": "0" })],
  ["a reservation", reserve(json(JSON.stringify(wish(9))))],
  ["a reservation, binary", reserve(proto(wishBinary(9)))],
  ["a refusal with facts", reserve(json(JSON.stringify(wish(1))))],
  ["a refusal, binary", reserve(proto(wishBinary(1)))],
  ["a field that is wrong", reserve(json(JSON.stringify(wish(2))))],
  ["a rule that is broken", reserve(json("{}"))],
  ["nothing, binary", reserve(proto(new Uint8Array()))],
  ["a time to try again", reserve(json(JSON.stringify(wish(3))))],
  ["a fault", reserve(json(JSON.stringify(wish(4))))],
  ["a service that cannot", reserve(json(JSON.stringify(wish(5))))],
];

test.each(SAME)("%s is answered as Connect does", async (_, sent) => {
  const [ours, theirs] = await Promise.all([send(gateway.port, sent), send(oraclePort(), sent)]);
  expect(ours).toEqual(theirs);
});

/** What Connect answers, what we do, and why we differ. */
const WANTED: [what: string, sent: Sent, theirs: Outcome, ours: Outcome, why: string][] = [
  ["no JSON", json("{"), [400, "invalid_argument"], INVALID(), "says which reason, for programs"],
  ["a wrong type", json('{"eventId":5}'), [400, "invalid_argument"], INVALID(), "names the field"],
  ["no protobuf", proto(new Uint8Array([0x0a, 5, 1])), [500, "internal"], INVALID(), "says which reason"],
  [
    "no base64",
    get("encoding=proto&base64=1&message=!"),
    [500, "internal"],
    INVALID(),
    "it is the client's fault",
  ],
  ["no gzip", json("x", gzipped), [500, "internal"], INVALID(), "says which reason"],
  [
    "another compression",
    json(asked, { "content-encoding": "br" }),
    [501, "unimplemented"],
    INVALID(),
    "the request is wrong, not the method",
  ],
  [
    "no time",
    json(asked, { "connect-timeout-ms": "soon" }),
    [400, "invalid_argument"],
    INVALID(),
    "says which reason",
  ],
  [
    "a long time",
    json(asked, { "connect-timeout-ms": "60000" }),
    [400, "invalid_argument"],
    [200, undefined],
    "is shortened",
  ],
  ["no type", { body: asked, headers: {} }, [415, undefined], INVALID(415), "explains itself"],
  [
    "another type",
    json(asked, { "content-type": "text/plain" }),
    [415, undefined],
    INVALID(415),
    "explains itself",
  ],
  [
    "a stream's type",
    json(asked, { "content-type": "application/connect+json" }),
    [415, undefined],
    INVALID(415),
    "explains itself",
  ],
  ["GET without an encoding", get(`message=${encoded}`), [415, undefined], INVALID(415), "explains itself"],
  ["GET of an act", { ...get(""), path: RESERVE }, [405, undefined], INVALID(405), "explains itself"],
  [
    "too much",
    json(`"${"x".repeat(70_000)}"`),
    [429, "resource_exhausted"],
    INVALID(),
    "trying again would not help",
  ],
  [
    "too much, unpacked",
    json(gzipSync(" ".repeat(99_000)), gzipped),
    [429, "resource_exhausted"],
    INVALID(),
    "trying again would not help",
  ],
  [
    "gzip with less preference",
    json(askedMore, { "accept-encoding": "gzip;q=0.5" }),
    [200, undefined, "plain"],
    [200, undefined, "gzip"],
    "understands preferences",
  ],
];

test.each(WANTED)("%s differs from Connect as wanted", async (_, sent, theirs, ours) => {
  expect(outcomeOf(await send(oraclePort(), sent))).toEqual([...theirs, "plain"].slice(0, 3));
  expect(outcomeOf(await send(gateway.port, sent))).toEqual([...ours, "plain"].slice(0, 3));
});

type Outcome = [status: number, code: string | undefined, coding?: string];

function INVALID(status = 400): Outcome {
  return [status, "invalid_argument"];
}

type Received = {
  status: number | undefined;
  type: string | undefined;
  coding: string | undefined;
  body: string;
};

function outcomeOf({ status, coding = "plain", body }: Received): Outcome {
  const { code } = body.startsWith("{") ? JSON.parse(body) : { code: undefined };
  return [status ?? 0, code, coding];
}

const oraclePort = () => (oracle.address() as AddressInfo).port;

/** Over node:http, which adds and understands nothing by itself. */
async function send(
  port: number,
  { path = AVAILABILITY, method = "POST", headers = {}, body }: Sent,
): Promise<Received> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest({ port, host: "127.0.0.1", path: `/${path}`, method, headers }, resolve);
    request.on("error", reject);
    request.end(body);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const coding = response.headers["content-encoding"];
  const bytes = Buffer.concat(chunks);
  return {
    status: response.statusCode,
    type: response.headers["content-type"],
    coding,
    body: (coding === "gzip" ? gunzipSync(bytes) : bytes).toString("latin1"),
  };
}
