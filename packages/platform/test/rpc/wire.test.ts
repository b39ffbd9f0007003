import { connect, constants } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
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
