import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CatalogService, GetEventRequestSchema } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { SalesService } from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import { create, type DescMethodUnary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureKeys, JWKS_FILE } from "../../src/auth/keys.ts";
import { mintToken } from "../../src/auth/tokens.ts";
import { createVerifier } from "../../src/auth/verifier.ts";
import { BoxofficeError, fromConnectError } from "../../src/errors.ts";
import { createLogger } from "../../src/log.ts";
import { callerOf } from "../../src/rpc/access.ts";
import { HealthState } from "../../src/rpc/health.ts";
import { createRpcServer, type RpcServer } from "../../src/rpc/server.ts";
import { service } from "../../src/rpc/service.ts";
import { fromGrpcStatus } from "../../src/rpc/status.ts";

const EVENT_ID = "0199d2a4-7c3e-7000-8000-000000000001";
const REPORTED_AWAY = "0199d2a4-7c3e-7000-8000-000000000002";
const BROKEN = "0199d2a4-7c3e-7000-8000-000000000003";

const log = createLogger("test", "silent");
const health = new HealthState();

let folder: string;
let server: RpcServer;
let address: string;
let client: Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "boxoffice-rpc-"));
  await ensureKeys(folder, ["operator", "catalog", "payment"]);
  server = createRpcServer({
    name: "reservation",
    services: [
      service(CatalogService, {
        getEvent({ eventId }, context) {
          if (eventId === BROKEN) throw new Error("the password is secret");
          if (eventId === REPORTED_AWAY) {
            throw new BoxofficeError("EVENT_NOT_FOUND", "There is no such event.", {
              metadata: { event_id: eventId },
            });
          }
          return { event: { eventId, name: callerOf(context).kind } };
        },
        publishEvent: (_, context) => ({ event: { name: callerOf(context).kind } }),
      }),
      service(SalesService, { closeSales: () => ({}) }),
    ],
    verifier: createVerifier({ jwksFile: join(folder, JWKS_FILE), audience: "reservation", log }),
    health,
    log,
  });
  address = `127.0.0.1:${await server.listen("127.0.0.1", 0)}`;
  client = new Client(address, credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  await server.close(1_000);
  await rm(folder, { recursive: true });
});

type Answer = { code: status; details: string; error?: unknown };

/** One raw call, as any gRPC client would make it. */
function call(method: DescMethodUnary, body: Uint8Array, token?: string): Promise<Answer> {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      `/${method.parent.typeName}/${method.name}`,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes) => bytes,
      body,
      metadata,
      { deadline: Date.now() + 5_000 },
      (error: ServiceError | null) =>
        resolve(
          error
            ? { code: error.code, details: error.details, error: fromConnectError(fromGrpcStatus(error)) }
            : { code: status.OK, details: "" },
        ),
    );
  });
}

const getEvent = (eventId: string, token?: string) =>
  call(
    CatalogService.method.getEvent,
    toBinary(GetEventRequestSchema, create(GetEventRequestSchema, { eventId })),
    token,
  );

const mint = (role: string, audience: string) =>
  mintToken({ privateKeyFile: join(folder, `${role}.key`), role, subject: "ada", ttlSeconds: 60, audience });

describe("who may call", () => {
  const callers: Record<string, () => Promise<string | undefined>> = {
    nobody: async () => undefined,
    operator: () => mint("operator", "boxoffice"),
    catalog: () => mint("catalog", "reservation"),
    payment: () => mint("payment", "reservation"),
    "a forger": async () => "e30.e30.AA",
  };
  const { OK, UNAUTHENTICATED, PERMISSION_DENIED } = status;

  test.each([
    ["nobody", OK, UNAUTHENTICATED, UNAUTHENTICATED],
    ["operator", OK, OK, PERMISSION_DENIED],
    ["catalog", OK, PERMISSION_DENIED, OK],
    ["payment", OK, PERMISSION_DENIED, PERMISSION_DENIED],
    ["a forger", UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED],
  ])("%s", async (caller, anyone, operators, catalogOnly) => {
    const token = await callers[caller]?.();
    const about = toBinary(GetEventRequestSchema, create(GetEventRequestSchema, { eventId: EVENT_ID }));
    const closeSales = Buffer.concat([about, Buffer.from([0x10, 1])]); // version = 1
    const codes = [
      (await getEvent(EVENT_ID, token)).code,
      (await call(CatalogService.method.publishEvent, about, token)).code,
      (await call(SalesService.method.closeSales, closeSales, token)).code,
    ];
    expect(codes).toEqual([anyone, operators, catalogOnly]);
  });
});

describe("what is answered", () => {
  test("a refusal keeps its code and its words", async () => {
    expect(await getEvent(REPORTED_AWAY)).toMatchObject({
      code: status.NOT_FOUND,
      details: "There is no such event.",
      error: { reason: "EVENT_NOT_FOUND", metadata: { event_id: REPORTED_AWAY } },
    });
  });

  test("a defect says nothing of itself", async () => {
    expect(await getEvent(BROKEN)).toMatchObject({ code: status.INTERNAL, details: "internal error" });
  });

  test.each([
    ["a wrong id", () => getEvent("not-a-uuid"), "event_id: "],
    ["NUL in a text", () => getEvent("\0"), "event_id: must not contain U+0000"],
    ["bytes that are no message", () => call(CatalogService.method.getEvent, Buffer.from([0x0a, 0xff])), ""],
  ])("%s is the caller's mistake", async (_, send, words) => {
    const { code, details, error } = await send();
    expect(code).toBe(status.INVALID_ARGUMENT);
    expect(details).toContain(words);
    expect(error).toMatchObject({ reason: "INVALID_REQUEST" });
  });

  test("a method without an implementation is UNIMPLEMENTED", async () => {
    expect((await call(CatalogService.method.listEvents, Buffer.alloc(0))).code).toBe(status.UNIMPLEMENTED);
  });
});

test("buf curl finds and calls the services without a proto file, and health follows the state", async () => {
  const run = promisify(execFile);
  const curl = async (...args: string[]) =>
    (await run("buf", ["curl", "--protocol", "grpc", "--http2-prior-knowledge", ...args])).stdout;
  const listed = await curl("--list-methods", `http://${address}`);
  expect(listed).toContain("boxoffice.catalog.v1.CatalogService/GetEvent");
  expect(listed).toContain("boxoffice.reservation.v1.SalesService/CloseSales");
  const event = await curl(
    "-d",
    JSON.stringify({ event_id: EVENT_ID }),
    `http://${address}/boxoffice.catalog.v1.CatalogService/GetEvent`,
  );
  expect(JSON.parse(event)).toEqual({ event: { eventId: EVENT_ID, name: "anonymous" } });
  const check = async () =>
    JSON.parse(await curl("-d", "{}", `http://${address}/grpc.health.v1.Health/Check`));
  expect(await check()).toEqual({ status: "NOT_SERVING" });
  health.set("SERVING");
  expect(await check()).toEqual({ status: "SERVING" });
});
