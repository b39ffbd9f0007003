import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { BoxofficeError, isRefusal } from "../../src/errors.ts";
import { createRpcClient } from "../../src/rpc/client.ts";
import { wasNeverSent } from "../../src/rpc/connection-error.ts";
import { createGrpcTransport } from "../../src/rpc/transport.ts";
import { failureOf, startTalk } from "./harness.ts";
import { TalkService } from "./talk.ts";

test("a service that is not there was certainly not called", async () => {
  const talk = await startTalk({});
  await talk[Symbol.asyncDispose]();
  const transport = createGrpcTransport(talk.address, { defaultTimeoutMs: 5000 });
  try {
    const client = createRpcClient(TalkService, transport);
    const unary = await failureOf(client.say({}));
    const stream = await failureOf(client.count({})[Symbol.asyncIterator]().next());
    for (const error of [unary, stream]) {
      expect(isRefusal(error, "DEPENDENCY_UNAVAILABLE") && error.retryAfterMs).toBeGreaterThan(0);
      expect(wasNeverSent(error)).toBe(true);
      expect(String(error)).not.toContain(talk.address);
    }
  } finally {
    transport.close();
  }
});

test("of a call that was cut off nobody knows whether it was carried out", async () => {
  let arrived: () => void = () => undefined;
  const hasArrived = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  await using talk = await startTalk({
    say() {
      arrived();
      return new Promise<never>(() => undefined);
    },
  });
  const calling = failureOf(talk.client.say({}));
  await hasArrived;
  await talk.server.close(0);
  const error = await calling;
  expect(isRefusal(error, "DEPENDENCY_UNAVAILABLE")).toBe(true);
  expect(wasNeverSent(error)).toBe(false);
});

test("nor of one that took too long", async () => {
  await using talk = await startTalk({ say: () => new Promise<never>(() => undefined) });
  const error = await failureOf(talk.client.say({}, { timeoutMs: 50 }));
  expect(error).toMatchObject({ code: Code.DeadlineExceeded });
  expect(wasNeverSent(error)).toBe(false);
});

test("a service's own DEPENDENCY_UNAVAILABLE was sent", async () => {
  await using talk = await startTalk({
    say() {
      throw new BoxofficeError("DEPENDENCY_UNAVAILABLE", "the database is away", { retryAfterMs: 70 });
    },
  });
  const error = await failureOf(talk.client.say({}));
  expect(error).toMatchObject({ message: "the database is away", retryAfterMs: 70 });
  expect(wasNeverSent(error)).toBe(false);
});

test("a service that comes back is found again", async () => {
  const first = await startTalk({ say: () => ({ said: "first" }) });
  const transport = createGrpcTransport(first.address, { defaultTimeoutMs: 5000 });
  const client = createRpcClient(TalkService, transport);
  expect((await client.say({})).said).toBe("first");
  await first[Symbol.asyncDispose]();
  expect(isRefusal(await failureOf(client.say({})), "DEPENDENCY_UNAVAILABLE")).toBe(true);
  await using _second = await startTalk({ say: () => ({ said: "second" }) }, {}, portOf(first.address));
  await expect.poll(() => client.say({}).then(({ said }) => said, String), { timeout: 5000 }).toBe("second");
  transport.close();
});

test("calls go to several addresses in turn", async () => {
  await using one = await startTalk({ say: () => ({ said: "one" }) });
  await using two = await startTalk({ say: () => ({ said: "two" }) });
  const transport = createGrpcTransport(`${one.address},${two.address}`, { defaultTimeoutMs: 5000 });
  const client = createRpcClient(TalkService, transport);
  const seen = new Set<string>();
  await expect.poll(async () => seen.add((await client.say({})).said).size, { timeout: 5000 }).toBe(2);
  transport.close();
});

test("a list of names is refused, because only one of them would be used", () => {
  const create = () => createGrpcTransport("one:1,two:2", { defaultTimeoutMs: 1 });
  expect(create).toThrow("one:1,two:2");
});

const portOf = (address: string): number => Number(address.split(":")[1]);
