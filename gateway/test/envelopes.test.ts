import { gzipSync } from "node:zlib";
import { fromConnectError } from "@boxoffice/platform/errors.ts";
import {
  GetAvailabilityRequestSchema,
  ReservationService,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { ErrorInfoSchema } from "@boxoffice/proto/google/rpc/error_details_pb.ts";
import { create, toBinary } from "@bufbuild/protobuf";
import { createClient, type Interceptor } from "@connectrpc/connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { envelope } from "../envelope.ts";
import {
  AVAILABILITY,
  type ErrorJson,
  EVENT_ID,
  RESERVE,
  startGateway,
  type TestGateway,
} from "./harness.ts";

const WATCH = "boxoffice.reservation.v1.ReservationService/WatchAvailability";

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway({
    reservation: {
      getAvailability: ({ eventId }) => ({ eventId }),
      async *watchAvailability({ eventId }) {
        yield { eventId };
      },
    },
  });
});

afterAll(() => gateway[Symbol.asyncDispose]());

type Told = { code: unknown; reason: unknown; message: string | undefined };

/** What the last envelope of an answer says. */
async function endOf(response: Response): Promise<Told> {
  expect(response.status).toBe(200);
  const bytes = Buffer.from(await response.arrayBuffer());
  const data = bytes.subarray(5, 5 + bytes.readUInt32BE(1));
  if (bytes[0] === 2) {
    const { error } = JSON.parse(data.toString()) as { error: ErrorJson };
    const info = error.details?.find(({ type }) => type === ErrorInfoSchema.typeName);
    return { code: error.code, reason: info?.debug?.reason, message: error.message };
  }
  expect(bytes[0]).toBe(0x80);
  const error = findTrailerError(trailerParse(data));
  return {
    code: error?.code,
    reason: error?.findDetails(ErrorInfoSchema)[0]?.reason,
    message: error?.rawMessage,
  };
}

const JSON_MESSAGE = Buffer.from(JSON.stringify({ eventId: EVENT_ID }));
const BINARY_MESSAGE = toBinary(
  GetAvailabilityRequestSchema,
  create(GetAvailabilityRequestSchema, { eventId: EVENT_ID }),
);

const SPEECHES = [
  ["application/grpc-web+proto", AVAILABILITY, BINARY_MESSAGE, "grpc-encoding", 3],
  ["application/grpc-web+json", AVAILABILITY, JSON_MESSAGE, "grpc-encoding", 3],
  ["application/grpc-web", WATCH, BINARY_MESSAGE, "grpc-encoding", 3],
  ["application/connect+proto", WATCH, BINARY_MESSAGE, "connect-content-encoding", "invalid_argument"],
  ["application/connect+json", WATCH, JSON_MESSAGE, "connect-content-encoding", "invalid_argument"],
] as const;

describe.each(SPEECHES)("%s at %s", (type, method, message, encoding, code) => {
  const good = envelope(0, message);
  const withLength = (length: number) => {
    const lying = Buffer.from(good);
    lying.writeUInt32BE(length, 1);
    return lying;
  };
  const compressed = { [encoding]: "gzip" };

  test.each<[string, Buffer, Record<string, string>]>([
    ["nothing", Buffer.alloc(0), {}],
    ["half a head", good.subarray(0, 3), {}],
    ["half a message", good.subarray(0, -1), {}],
    ["two messages", Buffer.concat([good, good]), {}],
    ["a length of 4 GiB", withLength(2 ** 32 - 1), {}],
    ["a length that is too small", withLength(1), {}],
    ["flags that are none", envelope(0x84, message), {}],
    ["what is not compressed", envelope(1, message), compressed],
    ["compressed as nobody says", envelope(1, gzipSync(message)), {}],
    ["compressed, and cut", envelope(1, gzipSync(message).subarray(0, 12)), compressed],
    ["a small message that unpacks to a large one", envelope(1, gzipSync(Buffer.alloc(2 ** 23))), compressed],
    ["an unknown compression", good, { [encoding]: "rot13" }],
    ["no message of this method", envelope(0, Buffer.from("{]\xff", "latin1")), {}],
    ["a timeout that is none", good, { "grpc-timeout": "soon", "connect-timeout-ms": "soon" }],
  ])("%s is refused in its own words, with a reason", async (_, body, headers) => {
    const told = await endOf(await gateway.post(method, body, { "content-type": type, ...headers }));
    expect(told).toMatchObject({ code, reason: "INVALID_REQUEST" });
    expect(told.message).not.toMatch(/JSON at position|token|premature|Error/);
    expect(gateway.logged.filter(({ msg }) => msg.includes("unexpectedly"))).toEqual([]);
  });

  test("what is well compressed is read", async () => {
    const body = envelope(1, gzipSync(message));
    const response = await gateway.post(method, body, { "content-type": type, ...compressed });
    const reader = response.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    await reader?.cancel(); // who watches would watch for ever
    const text = Buffer.from(value ?? []).toString("latin1");
    expect([response.status, value?.[0], text.includes(EVENT_ID)]).toEqual([200, 0, true]);
  });
});

test.each([
  ["gRPC-Web", createGrpcWebTransport],
  ["Connect", createConnectTransport],
])("a client of %s is told why it is turned away before its request is read", async (_, createTransport) => {
  const badToken: Interceptor = (next) => (request) => {
    request.header.set("authorization", "Bearer nonsense");
    return next(request);
  };
  const transport = createTransport({ baseUrl: gateway.url, httpVersion: "1.1", interceptors: [badToken] });
  const client = createClient(ReservationService, transport);
  const watch = async () => {
    for await (const _ of client.watchAvailability({ eventId: EVENT_ID }));
  };
  for (const call of [() => client.getAvailability({ eventId: EVENT_ID }), watch]) {
    const error = await call().then(
      () => undefined,
      (failure: unknown) => failure,
    );
    expect(fromConnectError(error)).toMatchObject({ reason: "UNAUTHENTICATED" });
  }
});

test("half of a character in a message is no fault of ours", async () => {
  const json = `{"eventId": "${EVENT_ID}", "items": [{"quantity": "\\ud800"}]}`;
  const type = { "content-type": "application/grpc-web+json" };
  const told = await endOf(await gateway.post(RESERVE, envelope(0, Buffer.from(json)), type));
  expect(told).toMatchObject({ code: 3, reason: "INVALID_REQUEST" });
  expect(told.message).toContain("items[0].quantity");
});
