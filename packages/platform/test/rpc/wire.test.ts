import { connect, constants } from "node:http2";
import { gzipSync } from "node:zlib";
import { ErrorInfoSchema } from "@boxoffice/proto/google/rpc/error_details_pb.ts";
import { StatusSchema } from "@boxoffice/proto/google/rpc/status_pb.ts";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Client, credentials, Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { startTalk } from "./harness.ts";
import { TalkRequestSchema } from "./talk.ts";

const PATH = "/boxoffice.test.v1.TalkService/";
const MALFORMED = Buffer.from([0x0a, 0xff]);
const GOOD = Buffer.from(toBinary(TalkRequestSchema, create(TalkRequestSchema, { say: "hi" })));

/** Sends messages as bytes, whatever they are, and says how the call ended. */
function send(address: string, method: string, ...messages: Buffer[]): Promise<StatusObject> {
  const client = new Client(address, credentials.createInsecure());
  const asIs = (bytes: Buffer) => bytes;
  const call = client.makeBidiStreamRequest(PATH + method, asIs, asIs, new Metadata(), {});
  for (const message of messages) call.write(message);
  call.end();
  call.on("error", () => undefined);
  call.resume();
  return new Promise((resolve) => {
    call.on("status", (ended) => {
      client.close();
      resolve(ended);
    });
  });
}

test.each(["Say", "Count", "Sum", "Echo"])(
  "bytes that are no message are the caller's mistake in %s",
  async (method) => {
    await using talk = await startTalk({
      say: () => ({}),
      async *count() {
        yield {};
      },
      async sum(requests) {
        for await (const _ of requests);
        return {};
      },
      async *echo(requests) {
        for await (const { say } of requests) yield { said: say };
      },
    });
    const messages = method === "Say" || method === "Count" ? [MALFORMED] : [GOOD, MALFORMED];
    const ended = await send(talk.address, method, ...messages);
    expect(ended).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: "the request is not a valid boxoffice.test.v1.TalkRequest",
    });
    expect(ended.metadata.get("grpc-status-details-bin")).toHaveLength(1);
    expect(talk.logged()).toEqual([]);
  },
);

describe("what grpc-js refuses by itself is the caller's mistake, with a reason", () => {
  const envelope = (flags: number, message: Uint8Array, length = message.length) => {
    const head = Buffer.alloc(5);
    head.writeUInt8(flags);
    head.writeUInt32BE(length, 1);
    return Buffer.concat([head, message]);
  };
  const good = envelope(0, GOOD);
  const gzip = { "grpc-encoding": "gzip" };
  test.each<[string, Buffer, Record<string, string>]>([
    ["no message", Buffer.alloc(0), {}],
    ["half a head", good.subarray(0, 3), {}],
    ["half a message", good.subarray(0, -1), {}],
    ["two messages", Buffer.concat([good, good]), {}],
    ["a length of 4 GiB", envelope(0, GOOD, 2 ** 32 - 1), {}],
    ["a message that is not compressed", envelope(1, GOOD), gzip],
    ["a message that is cut", envelope(1, gzipSync(GOOD).subarray(0, 12)), gzip],
    ["a message that unpacks to too much", envelope(1, gzipSync(Buffer.alloc(2 ** 23))), gzip],
    ["an unknown compression", envelope(1, GOOD), { "grpc-encoding": "rot13" }],
    ["a timeout that is none", good, { "grpc-timeout": "soon" }],
  ])("%s", async (_, body, headers) => {
    await using talk = await startTalk({
      say: () => ({ said: "reached" }),
      async *count() {
        yield { count: 1 };
      },
    });
    for (const method of ["Say", "Count"]) {
      const ended = await sendRaw(talk.address, method, body, headers);
      expect([method, ended["grpc-status"]]).toEqual([method, String(status.INVALID_ARGUMENT)]);
      const details = fromBinary(
        StatusSchema,
        Buffer.from(String(ended["grpc-status-details-bin"]), "base64"),
      );
      const [info] = details.details
        .map((any) => anyUnpack(any, ErrorInfoSchema))
        .filter((one) => one !== undefined);
      expect(info?.reason).toBe("INVALID_REQUEST");
    }
    expect((await talk.client.say({})).said).toBe("reached");
    expect(talk.logged()).toEqual([]);
  });

  /** Sends a body as it is. @returns the headers and trailers of the answer */
  async function sendRaw(address: string, method: string, body: Buffer, headers: Record<string, string>) {
    const session = connect(`http://${address}`);
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: PATH + method,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    const said: Record<string, unknown> = {};
    stream.on("response", (received) => Object.assign(said, received));
    stream.on("trailers", (received) => Object.assign(said, received));
    stream.end(body);
    stream.resume();
    await new Promise((resolve) => stream.on("close", resolve));
    session.destroy();
    return said;
  }
});

test("a compressed message that is none does not end the process", async () => {
  await using talk = await startTalk({ say: () => ({ said: "alive" }) });
  const session = connect(`http://${talk.address}`);
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: "POST",
    [constants.HTTP2_HEADER_PATH]: `${PATH}Say`,
    "content-type": "application/grpc",
    "grpc-encoding": "gzip",
    te: "trailers",
  });
  stream.end(Buffer.from([1, 0, 0, 0, 3, 1, 2, 3]));
  await new Promise((resolve) => stream.on("response", resolve));
  session.destroy();
  expect((await talk.client.say({})).said).toBe("alive");
});

test("an unknown method is UNIMPLEMENTED", async () => {
  await using talk = await startTalk({});
  expect(await send(talk.address, "Nothing", GOOD)).toMatchObject({ code: status.UNIMPLEMENTED });
});

test("headers of the protocol are not the caller's to set", async () => {
  await using talk = await startTalk({
    say: (_, { requestHeader, timeoutMs }) => ({
      said: requestHeader.get("content-type") ?? "none",
      count: Math.round(timeoutMs() ?? 0),
    }),
  });
  const headers = { "content-type": "text/html", te: "gzip", host: "elsewhere", "grpc-timeout": "1n" };
  const { said, count } = await talk.client.say({}, { headers });
  expect(said).toBe("none");
  expect(count).toBeGreaterThan(1000);
});
