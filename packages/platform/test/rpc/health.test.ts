import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "@boxoffice/proto/grpc/health/v1/health_pb.ts";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { createRpcClient } from "../../src/rpc/client.ts";
import { eventually, failureOf, startTalk } from "./harness.ts";
import { TalkService } from "./talk.ts";

const NAME = TalkService.typeName;

test("Check knows the whole and each service, and nothing else", async () => {
  await using talk = await startTalk({});
  const client = createRpcClient(Health, talk.transport);
  expect((await client.check({})).status).toBe(Status.NOT_SERVING);
  talk.health.set("SERVING");
  for (const service of ["", NAME]) expect((await client.check({ service })).status).toBe(Status.SERVING);
  expect(await failureOf(client.check({ service: "nobody" }))).toMatchObject({ code: Code.NotFound });
});

test("Watch tells at once, after each change, and ends when the server stops", async () => {
  await using talk = await startTalk({});
  const client = createRpcClient(Health, talk.transport);
  const seen: Status[] = [];
  const unknown: Status[] = [];
  const watch = async (service: string, into: Status[]) => {
    for await (const { status } of client.watch({ service })) into.push(status);
  };
  const ends = [failureOf(watch(NAME, seen)), failureOf(watch("nobody", unknown))];
  await eventually(() => seen.length === 1 && unknown.length === 1);
  talk.health.set("SERVING");
  await eventually(() => seen.length === 2);
  talk.health.set("SERVING");
  talk.health.set("NOT_SERVING");
  await eventually(() => seen.length === 3);
  expect(seen).toEqual([Status.NOT_SERVING, Status.SERVING, Status.NOT_SERVING]);
  expect(unknown[0]).toBe(Status.SERVICE_UNKNOWN);
  await talk.server.close(1000);
  for (const end of ends) expect(await end).toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE" });
});

test("whoever stops watching is forgotten", async () => {
  await using talk = await startTalk({});
  const client = createRpcClient(Health, talk.transport);
  for await (const { status } of client.watch({})) {
    expect(status).toBe(Status.NOT_SERVING);
    break;
  }
  talk.health.set("SERVING");
  expect(talk.logged()).toEqual([]);
});
