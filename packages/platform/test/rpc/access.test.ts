import { expect, test } from "vitest";
import type { Caller } from "../../src/auth/caller.ts";
import { isRefusal, type Reason } from "../../src/errors.ts";
import { accessOf, callerOf, forwardBearer } from "../../src/rpc/access.ts";
import { createRpcClient } from "../../src/rpc/client.ts";
import { createGrpcTransport } from "../../src/rpc/transport.ts";
import { bearer, failureOf, ROLES, SERVICE_NAME, startTalk, type Talk, type TalkImpl } from "./harness.ts";
import { TalkService } from "./talk.ts";

/** Says who called. */
const WHO: TalkImpl = {
  say: (_, context) => ({ said: describeCaller(callerOf(context)) }),
  manage: (_, context) => ({ said: describeCaller(callerOf(context)) }),
  sync: (_, context) => ({ said: describeCaller(callerOf(context)) }),
};

function describeCaller(caller: Caller): string {
  if (caller.kind === "operator") return `operator ${caller.subject}`;
  return caller.kind === "service" ? `service ${caller.service}` : "anonymous";
}

async function outcomes(talk: Talk, options?: Parameters<Talk["client"]["say"]>[1]): Promise<string[]> {
  const calls = [
    talk.client.say({}, options),
    talk.client.manage({}, options),
    talk.client.sync({}, options),
  ];
  const results = await Promise.allSettled(calls);
  return results.map((result) => {
    if (result.status === "fulfilled") return result.value.said;
    return isRefusal(result.reason, "UNAUTHENTICATED", "PERMISSION_DENIED")
      ? result.reason.reason
      : String(result.reason);
  });
}

const NO: Reason = "UNAUTHENTICATED";
const DENIED: Reason = "PERMISSION_DENIED";

test("by anyone, by operators, by named services: who shows no token, and who shows which", async () => {
  await using talk = await startTalk(WHO);
  const by: Record<string, string[]> = {};
  for (const role of ROLES) by[role] = await outcomes(talk, await talk.bearer(role));
  expect(await outcomes(talk)).toEqual(["anonymous", NO, NO]);
  const operator = "operator operator-subject";
  const mayNot = (role: string) => [`service ${role}`, DENIED, DENIED];
  expect(by).toEqual({
    operator: [operator, operator, DENIED],
    catalog: ["service catalog", DENIED, "service catalog"],
    payment: ["service payment", DENIED, "service payment"],
    reservation: mayNot("reservation"),
    stats: mayNot("stats"),
    gateway: mayNot("gateway"),
  });
});

test.each([
  ["no token at all", "Bearer "],
  ["another scheme", "Basic b3A6b3A="],
  ["garbage", "Bearer not.a.token"],
  ["two tokens", "Bearer a, Bearer b"],
])("%s is refused, also where none is needed", async (_, authorization) => {
  await using talk = await startTalk(WHO);
  expect(await outcomes(talk, { headers: { authorization } })).toEqual([NO, NO, NO]);
});

test("a token of this service's own is good for nothing elsewhere, nor an expired one here", async () => {
  await using talk = await startTalk(WHO);
  const mint = (audience: string, ttlSeconds = 60) =>
    talk.issuer("payment").mint({ subject: "payment", audience, ttlSeconds });
  expect(await outcomes(talk, bearer(await mint("stats")))).toEqual([NO, NO, NO]);
  const expired = await failureOf(talk.client.sync({}, bearer(await mint(SERVICE_NAME, -60))));
  expect(expired).toMatchObject({ reason: "UNAUTHENTICATED", message: "the token has expired" });
});

test("streams are checked before the handler runs", async () => {
  let isCalled = false;
  await using talk = await startTalk({
    async *count() {
      isCalled = true;
      yield {};
    },
  });
  const call = talk.client.count({}, bearer("not.a.token"));
  expect(await failureOf(call[Symbol.asyncIterator]().next())).toMatchObject({ reason: "UNAUTHENTICATED" });
  expect(isCalled).toBe(false);
});

test("a transport shows its own token, and whoever forwards the caller's shows that", async () => {
  await using backend = await startTalk(WHO);
  const token = backend.issuer("payment").mint({ subject: "p", audience: SERVICE_NAME, ttlSeconds: 60 });
  const transport = createGrpcTransport(backend.address, { defaultTimeoutMs: 5000, bearer: () => token });
  const client = createRpcClient(TalkService, transport);
  expect((await client.sync({})).said).toBe("service payment");

  // The front checks nothing of it: the backend decides.
  const header = new Headers((await backend.bearer("operator")).headers);
  const context = { requestHeader: header };
  expect((await client.manage({}, forwardBearer(context))).said).toBe("operator operator-subject");
  expect((await client.say({}, forwardBearer({ requestHeader: new Headers() }))).said).toBe(
    "service payment",
  );
  transport.close();
});

test("the option of a method can be read", () => {
  expect(accessOf(TalkService.method.sync).services).toEqual(["catalog", "payment"]);
});
