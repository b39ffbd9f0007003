import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { createClient } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { createLogger } from "../../src/log.ts";
import { forwardBearer } from "../../src/rpc/access.ts";
import { wasNeverSent } from "../../src/rpc/connection-error.ts";
import { HealthState } from "../../src/rpc/health.ts";
import { createRpcServer } from "../../src/rpc/server.ts";
import { service } from "../../src/rpc/service.ts";
import { createGrpcTransport } from "../../src/rpc/transport.ts";
import { UNDECIDED } from "./talk.ts";

test("a call that could not leave says so: what it asked for has not happened", async () => {
  const transport = createGrpcTransport("127.0.0.1:1", { defaultTimeoutMs: 5_000 });
  const error = await createClient(CatalogService, transport)
    .getEvent({})
    .catch((caught: unknown) => caught);
  transport.close();
  expect(error).toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE", retryAfterMs: 1_000 });
  expect(wasNeverSent(error)).toBe(true);
  expect(wasNeverSent(new Error("anything else"))).toBe(false);
});

test("the caller's bearer is passed on, and none is made up", () => {
  const headers = { authorization: "Bearer abc" };
  expect(forwardBearer({ requestHeader: new Headers(headers) })).toEqual({ headers });
  expect(forwardBearer({ requestHeader: new Headers() })).toEqual({});
});

test.each(UNDECIDED)("$typeName, which does not say who may call it, is not served", (desc) => {
  const verifier = { verify: () => Promise.reject(new Error("nobody is known")) };
  const log = createLogger("test", "silent");
  expect(() =>
    createRpcServer({
      name: "test",
      services: [service(desc, {})],
      verifier,
      health: new HealthState(),
      log,
    }),
  ).toThrow(/who may call it|is incomplete/);
});
