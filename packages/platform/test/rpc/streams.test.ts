import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { BoxofficeError, isRefusal } from "../../src/errors.ts";
import { eventually, failureOf, startTalk } from "./harness.ts";

async function collect<Message>(messages: AsyncIterable<Message>): Promise<Message[]> {
  const all: Message[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

async function* say(...words: string[]) {
  for (const word of words) yield { say: word };
}

test("a server streams, with header first and trailer last", async () => {
  await using talk = await startTalk({
    async *count(_, { responseHeader, responseTrailer }) {
      responseHeader.set("x-header", "first");
      for (const count of [1, 2, 3]) yield { count };
      responseTrailer.set("x-trailer", "last");
    },
  });
  const seen: unknown[] = [];
  const onHeader = (header: Headers) => seen.push(header.get("x-header"));
  const onTrailer = (trailer: Headers) => seen.push(trailer.get("x-trailer"));
  for await (const { count } of talk.client.count({}, { onHeader, onTrailer })) seen.push(count);
  expect(seen).toEqual(["first", 1, 2, 3, "last"]);
});

test("a client streams, and both at once", async () => {
  await using talk = await startTalk({
    async sum(requests) {
      return { count: (await collect(requests)).length };
    },
    async *echo(requests) {
      for await (const request of requests) yield { said: request.say };
    },
  });
  expect((await talk.client.sum(say("a", "b"))).count).toBe(2);
  expect((await talk.client.sum(say())).count).toBe(0);
  expect((await collect(talk.client.echo(say("a", "b")))).map(({ said }) => said)).toEqual(["a", "b"]);
});

test("a handler may stop reading and still answer", async () => {
  await using talk = await startTalk({
    async *echo(requests) {
      for await (const request of requests) {
        yield { said: request.say };
        break;
      }
      for (const count of [1, 2, 3]) yield { count };
    },
  });
  async function* endless() {
    for (;;) {
      yield { say: "on and on" };
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  expect(await collect(talk.client.echo(endless()))).toHaveLength(4);
});

test("an error after some messages arrives after them, with its details", async () => {
  await using talk = await startTalk({
    async *count() {
      yield { count: 1 };
      throw new BoxofficeError("EVENT_NOT_FOUND", "gone", { metadata: { event_id: "e-1" } });
    },
  });
  const counts: number[] = [];
  const error = await failureOf(
    (async () => {
      for await (const { count } of talk.client.count({})) counts.push(count);
    })(),
  );
  expect(counts).toEqual([1]);
  expect(isRefusal(error, "EVENT_NOT_FOUND") && error.metadata).toEqual({ event_id: "e-1" });
});

test("an error before the first message is not taken for an empty stream", async () => {
  await using talk = await startTalk({
    // biome-ignore lint/correctness/useYield: it fails first
    async *count() {
      throw new Error("hunter2");
    },
  });
  const error = await failureOf(collect(talk.client.count({})));
  expect(error).toMatchObject({ code: Code.Internal, rawMessage: "internal error" });
  expect(talk.logged()).toHaveLength(1);
});

test("leaving the loop early cancels the call and ends the handler", async () => {
  let cleanedUp = false;
  let reason: unknown;
  await using talk = await startTalk({
    async *count(_, { signal }) {
      signal.addEventListener("abort", () => {
        reason = signal.reason;
      });
      try {
        for (let count = 1; ; count += 1) {
          yield { count };
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      } finally {
        cleanedUp = true;
      }
    },
  });
  for await (const { count } of talk.client.count({})) if (count === 3) break;
  await eventually(() => cleanedUp);
  expect(reason).toMatchObject({ code: Code.Canceled });
  expect(talk.logged()).toEqual([]);
});

test("a slow reader slows the handler down, and still gets everything", async () => {
  const total = 200;
  let produced = 0;
  await using talk = await startTalk({
    async *count() {
      while (produced < total) {
        produced += 1;
        yield { count: produced, payload: new Uint8Array(64 * 1024) };
      }
    },
  });
  const counts: number[] = [];
  for await (const { count } of talk.client.count({})) {
    if (counts.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(produced).toBeLessThan(total);
    }
    counts.push(count);
  }
  expect(counts).toEqual(Array.from({ length: total }, (_, index) => index + 1));
});

test("the error of whoever produces the requests ends the call", async () => {
  let isBegun = false;
  let isEnded = false;
  await using talk = await startTalk({
    async sum(requests) {
      try {
        for await (const _ of requests) isBegun = true;
        return {};
      } finally {
        isEnded = true;
      }
    },
  });
  async function* broken() {
    yield { say: "one" };
    await eventually(() => isBegun);
    throw new RangeError("no more");
  }
  expect(await failureOf(talk.client.sum(broken()))).toBeInstanceOf(RangeError);
  await eventually(() => isEnded);
  expect(talk.logged()).toEqual([]);
});
