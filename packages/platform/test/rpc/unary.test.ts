import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { BoxofficeError, isRefusal, REASONS, type Reason } from "../../src/errors.ts";
import { failureOf, startTalk } from "./harness.ts";

test("a call carries request, response, headers and trailers", async () => {
  await using talk = await startTalk({
    say({ say }, context) {
      context.responseHeader.set("x-header", context.requestHeader.get("x-ask") ?? "");
      context.responseTrailer.set("x-trailer", "bye");
      context.responseTrailer.set("x-bytes-bin", "AQID");
      return { said: say, payload: new Uint8Array([1, 2]) };
    },
  });
  const headers: string[] = [];
  const response = await talk.client.say(
    { say: "grüß Gott" },
    {
      headers: { "x-ask": "hello" },
      onHeader: (header) => headers.push(header.get("x-header") ?? ""),
      onTrailer: (trailer) => headers.push(trailer.get("x-trailer") ?? "", trailer.get("x-bytes-bin") ?? ""),
    },
  );
  expect(response.said).toBe("grüß Gott");
  expect([...response.payload]).toEqual([1, 2]);
  expect(headers).toEqual(["hello", "bye", "AQID"]);
});

test.each(Object.keys(REASONS) as Reason[])("%s arrives with everything it says", async (reason) => {
  const thrown = new BoxofficeError(reason, "100 % ausverkauft – sorry", {
    metadata: { ticket_type_id: "t-1", available: 0 },
    fields: [{ field: "items[0].quantity", description: "must be greater than 0" }],
    retryAfterMs: 1500,
  });
  await using talk = await startTalk({
    say() {
      throw thrown;
    },
  });
  const error = await failureOf(talk.client.say({}));
  if (!isRefusal(error, reason)) throw error;
  const { message, metadata, fields, retryAfterMs } = thrown;
  expect(error).toMatchObject({ message, metadata, fields, retryAfterMs });
  expect(error.cause).toMatchObject({ code: REASONS[reason] });
  expect(talk.logged()).toEqual([]);
});

test.each([
  ["an error", () => new TypeError("password=hunter2 in table customer")],
  ["an internal ConnectError", () => new ConnectError("hunter2", Code.Internal)],
  ["an unknown ConnectError", () => new ConnectError("hunter2", Code.Unknown)],
])("of %s the caller learns nothing, and the log has it once", async (_, makeError) => {
  await using talk = await startTalk({
    async say() {
      throw makeError();
    },
  });
  const error = await failureOf(talk.client.say({ say: "my secret" }));
  expect(error).toMatchObject({ code: Code.Internal, rawMessage: "internal error", details: [] });
  expect(talk.logged()).toHaveLength(1);
  expect(talk.logged()[0]).toMatchObject({ method: "boxoffice.test.v1.TalkService/Say" });
  expect(JSON.stringify(talk.logged())).not.toContain("my secret");
});

test("a ConnectError that is no fault keeps its code, and its metadata goes no further", async () => {
  await using talk = await startTalk({
    say() {
      throw new ConnectError("busy", Code.ResourceExhausted, { "x-internal": "10.0.0.1" });
    },
  });
  const error = await failureOf(talk.client.say({}));
  expect(error).toMatchObject({ code: Code.ResourceExhausted, rawMessage: "busy" });
  expect([...(error as ConnectError).metadata]).toEqual([]);
});

test("a message that ends in half a character does not break the answer", async () => {
  await using talk = await startTalk({
    say() {
      throw new BoxofficeError("CURRENCY_NOT_SUPPORTED", "Currency 😀".slice(0, -1));
    },
  });
  const error = await failureOf(talk.client.say({}));
  expect(error).toMatchObject({ reason: "CURRENCY_NOT_SUPPORTED", message: "Currency \ufffd" });
});

test("an answer that cannot be written is a fault, and logged", async () => {
  await using talk = await startTalk({ say: () => ({ count: 1.5 }) });
  const error = await failureOf(talk.client.say({}));
  expect(error).toMatchObject({ code: Code.Internal, rawMessage: "internal error" });
  expect(talk.logged()).toHaveLength(1);
});

test("a method without an implementation answers UNIMPLEMENTED", async () => {
  await using talk = await startTalk({});
  expect(await failureOf(talk.client.missing({}))).toMatchObject({ code: Code.Unimplemented });
  expect(talk.logged()).toEqual([]);
});

test("an implementation may be an object with state", async () => {
  class Counter {
    #count = 0;
    say() {
      this.#count += 1;
      return { count: this.#count };
    }
  }
  await using talk = await startTalk(new Counter());
  await talk.client.say({});
  expect((await talk.client.say({})).count).toBe(2);
});

test("messages above the limit are refused in both directions", async () => {
  await using talk = await startTalk(
    { say: ({ say }) => ({ said: say.repeat(2) }) },
    { limits: { maxMessageBytes: 1000 } },
  );
  expect((await talk.client.say({ say: "x".repeat(400) })).said).toHaveLength(800);
  const askingFor = (length: number) => failureOf(talk.client.say({ say: "x".repeat(length) }));
  expect(await askingFor(1200)).toMatchObject({ reason: "INVALID_REQUEST" });
  expect(await askingFor(600)).toMatchObject({ code: Code.ResourceExhausted }); // the answer is too long, not the request
});

test("interceptors run outermost first on both sides, and see each other's headers", async () => {
  const order: string[] = [];
  const note = (name: string) => (next: Parameters<Interceptor>[0]) =>
    (async (request) => {
      order.push(name);
      request.header.set("x-last", name);
      const response = await next(request);
      order.push(`${name} done`);
      return response;
    }) as typeof next;
  await using talk = await startTalk(
    { say: (_, { requestHeader }) => ({ said: requestHeader.get("x-last") ?? "" }) },
    {
      interceptors: [note("server 1"), note("server 2")],
      clientInterceptors: [note("client 1"), note("client 2")],
    },
  );
  expect((await talk.client.say({})).said).toBe("server 2");
  expect(order.slice(0, 4)).toEqual(["client 1", "client 2", "server 1", "server 2"]);
  expect(order.slice(4)).toEqual(["server 2 done", "server 1 done", "client 2 done", "client 1 done"]);
});
