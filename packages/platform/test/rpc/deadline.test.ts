import { Code, type ConnectError } from "@connectrpc/connect";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { eventually, failureOf, startTalk, type TalkImpl } from "./harness.ts";

/** A handler of both kinds that waits until its signal aborts, and what the signal then said. */
function waiting(): { impl: TalkImpl; reasons: ConnectError[]; timeouts: (number | undefined)[] } {
  const reasons: ConnectError[] = [];
  const timeouts: (number | undefined)[] = [];
  const wait = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => {
        reasons.push(signal.reason);
        reject(new Error("canceling statement due to user request")); // as a database would say it
      });
    });
  const impl: TalkImpl = {
    say(_, { signal, timeoutMs }) {
      timeouts.push(timeoutMs());
      return wait(signal);
    },
    async *count(_, { signal, timeoutMs }) {
      timeouts.push(timeoutMs());
      yield { count: 1 };
      await wait(signal);
    },
  };
  return { impl, reasons, timeouts };
}

const kinds = ["unary", "stream"] as const;

async function call(
  talk: Awaited<ReturnType<typeof startTalk>>,
  kind: (typeof kinds)[number],
  options: { timeoutMs?: number; signal?: AbortSignal },
): Promise<void> {
  if (kind === "unary") await talk.client.say({}, options);
  else for await (const _ of talk.client.count({}, options));
}

test.each(kinds)("a deadline ends a %s call on both sides", async (kind) => {
  const { impl, reasons, timeouts } = waiting();
  await using talk = await startTalk(impl);
  const error = await failureOf(call(talk, kind, { timeoutMs: 100 }));
  expect(error).toMatchObject({ name: "ConnectError", code: Code.DeadlineExceeded });
  await eventually(() => reasons.length === 1);
  expect(reasons[0]).toMatchObject({ code: Code.DeadlineExceeded });
  expect(timeouts[0]).toBeLessThanOrEqual(100);
  expect(talk.logged()).toEqual([]);
});

test.each(kinds)("the abort of the caller's signal reaches the handler of a %s call", async (kind) => {
  const { impl, reasons, timeouts } = waiting();
  await using talk = await startTalk(impl);
  const controller = new AbortController();
  const calling = failureOf(call(talk, kind, { signal: controller.signal }));
  await eventually(() => timeouts.length === 1);
  controller.abort();
  expect(await calling).toMatchObject({ name: "ConnectError", code: Code.Canceled });
  await eventually(() => reasons.length === 1);
  expect(reasons[0]).toMatchObject({ code: Code.Canceled });
  expect(talk.logged()).toEqual([]);
});

test("a call whose signal has aborted is not made", async () => {
  const { impl, timeouts } = waiting();
  await using talk = await startTalk(impl);
  const error = await failureOf(talk.client.say({}, { signal: AbortSignal.abort() }));
  expect(error).toMatchObject({ code: Code.Canceled });
  expect(timeouts).toEqual([]);
});

test("unary calls have the transport's deadline unless they name one, streams have none", async () => {
  const timeouts: (number | undefined)[] = [];
  await using talk = await startTalk({
    say(_, { timeoutMs }) {
      timeouts.push(timeoutMs());
      return {};
    },
    async *count(_, { timeoutMs }) {
      timeouts.push(timeoutMs());
      yield {};
    },
  });
  await talk.client.say({});
  await talk.client.say({}, { timeoutMs: 0 });
  await call(talk, "stream", {});
  expect(timeouts[0]).toBeGreaterThan(4000);
  expect(timeouts.slice(1)).toEqual([undefined, undefined]);
});

test("the signal aborts after an answer, for what the handler left behind", async () => {
  let signal: AbortSignal | undefined;
  await using talk = await startTalk({
    say(_, context) {
      signal = context.signal;
      return {};
    },
  });
  await talk.client.say({});
  expect(signal?.reason).toMatchObject({ rawMessage: "the call is over" });
});

test.each([
  ["99999999H", 2_147_400_000],
  ["600H", 2_147_400_000],
  ["3000000S", 2_147_400_000],
  ["2000S", 1_990_000],
])("a grpc-timeout of %s is kept, or cut to what a timer can take", async (timeout, atLeastMs) => {
  let timeoutMs: number | undefined;
  await using talk = await startTalk({
    say(_, context) {
      timeoutMs = context.timeoutMs();
      return {};
    },
  });
  const metadata = new Metadata();
  metadata.set("grpc-timeout", timeout);
  const client = new Client(talk.address, credentials.createInsecure());
  try {
    await new Promise((resolve, reject) => {
      const asIs = (bytes: Buffer) => bytes;
      const path = "/boxoffice.test.v1.TalkService/Say";
      client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), metadata, (error, answer) =>
        error ? reject(error) : resolve(answer),
      );
    });
  } finally {
    client.close();
  }
  expect(timeoutMs).toBeGreaterThan(atLeastMs);
  expect(timeoutMs).toBeLessThan(2 ** 31);
});
