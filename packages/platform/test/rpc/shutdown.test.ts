import { expect, test } from "vitest";
import { isRefusal } from "../../src/errors.ts";
import { eventually, failureOf, startTalk } from "./harness.ts";

test("closing lets a call finish, ends a stream, takes no new call, and may be asked for twice", async () => {
  let answer: (value: { said: string }) => void = () => undefined;
  let isStreamOver = false;
  await using talk = await startTalk({
    say: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
    async *count(_, { signal }) {
      yield { count: 1 };
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      isStreamOver = true;
    },
  });
  let isCalling = false;
  const streaming = failureOf(
    (async () => {
      for await (const _ of talk.client.count({})) isCalling = true;
    })(),
  );
  const calling = talk.client.say({});
  await eventually(() => isCalling);
  talk.health.set("SERVING");

  const closing = Promise.all([talk.server.close(5000), talk.server.close(5000)]);
  expect(talk.health.status).toBe("NOT_SERVING");
  expect(await streaming).toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE" });
  await eventually(() => isStreamOver);
  expect(isRefusal(await failureOf(talk.client.missing({})), "DEPENDENCY_UNAVAILABLE")).toBe(true);
  answer({ said: "finished" });
  expect((await calling).said).toBe("finished");
  const startedAt = Date.now();
  await closing;
  expect(Date.now() - startedAt).toBeLessThan(1000);
});

test("a handler that never ends is cut off after the grace time", async () => {
  let isCalled = false;
  await using talk = await startTalk({
    say() {
      isCalled = true;
      return new Promise<never>(() => undefined);
    },
  });
  const calling = failureOf(talk.client.say({}));
  await eventually(() => isCalled);
  const startedAt = Date.now();
  await talk.server.close(200);
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(190);
  expect(Date.now() - startedAt).toBeLessThan(1000);
  expect(await calling).toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE" });
});

test("the shutdown signal ends streams before the server closes, and leaves other calls alone", async () => {
  const shutdown = new AbortController();
  let isOpen = false;
  await using talk = await startTalk(
    {
      say: () => ({ said: "still here" }),
      async *count(_, { signal }) {
        isOpen = true;
        yield { count: 1 };
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    },
    { shutdownSignal: shutdown.signal },
  );
  const streaming = failureOf(
    (async () => {
      for await (const _ of talk.client.count({}));
    })(),
  );
  await eventually(() => isOpen);
  shutdown.abort();
  expect(await streaming).toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE" });
  expect((await talk.client.say({})).said).toBe("still here");
});

test("a stream that a handler keeps open against its signal is answered all the same", async () => {
  let isOpen = false;
  await using talk = await startTalk({
    async *count() {
      isOpen = true;
      yield { count: 1 };
      await new Promise<never>(() => undefined);
    },
  });
  const streaming = failureOf(
    (async () => {
      for await (const _ of talk.client.count({}));
    })(),
  );
  await eventually(() => isOpen);
  await talk.server.close(2000);
  expect(await streaming).toMatchObject({ message: "the service is stopping; call again" });
});

test("a taken port is named", async () => {
  await using first = await startTalk({});
  const port = Number(first.address.split(":")[1]);
  await expect(startTalk({}, {}, port)).rejects.toThrow(`catalog: 127.0.0.1:${port} is already in use`);
});
