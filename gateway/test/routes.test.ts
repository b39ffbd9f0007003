import { BoxofficeError, invalidField } from "@boxoffice/platform/errors.ts";
import { callerOf } from "@boxoffice/platform/rpc/access.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import {
  AvailabilityStatus,
  ReservationService,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { ErrorInfoSchema } from "@boxoffice/proto/google/rpc/error_details_pb.ts";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { envelope } from "../envelope.ts";
import {
  AVAILABILITY,
  debugOf,
  type ErrorJson,
  EVENT_ID,
  PAUSE,
  RESERVE,
  refusalOf,
  startGateway,
} from "./harness.ts";

const availability = {
  eventId: EVENT_ID,
  ticketTypes: [
    {
      ticketTypeId: "t",
      name: "Standing",
      price: { currencyCode: "EUR", minorUnits: 4900n },
      status: AvailabilityStatus.SOLD_OUT,
    },
  ],
};

describe("which methods there are", () => {
  test("every public and operators' method of the four services", async () => {
    await using gateway = await startGateway({});
    const methods = [CatalogService, ReservationService, PaymentService, StatsService].flatMap(
      ({ typeName, methods: all }) =>
        all.map(({ name, methodKind }) => ({
          path: `${typeName}/${name}`,
          isStream: methodKind !== "unary",
        })),
    );
    expect(methods.length).toBeGreaterThan(20);
    const operator = await gateway.bearer("operator");
    for (const { path, isStream } of methods) {
      const type = { "content-type": isStream ? "application/connect+json" : "application/json" };
      const { status } = await gateway.post(path, isStream ? envelope(0, "{}") : {}, {
        ...operator,
        ...type,
      });
      expect([path, status]).not.toEqual([path, 404]);
      if (isStream) expect([path, status]).toEqual([path, 200]);
    }
  });

  test("one that only services may call is as unknown as a mistyped one", async () => {
    let called = false;
    await using gateway = await startGateway({
      sales: {
        closeSales: () => {
          called = true;
          return {};
        },
      },
    });
    const closed = await gateway.post(
      "boxoffice.reservation.v1.SalesService/CloseSales",
      { eventId: EVENT_ID, version: "1" },
      await gateway.bearer("catalog"),
    );
    const mistyped = await gateway.post("boxoffice.reservation.v1.SalesService/ClozeSales", {});
    const elsewhere = await gateway.post("grpc.health.v1.Health/Check", {});
    expect(called).toBe(false);
    expect(closed.status).toBe(404);
    const answer = await closed.text();
    expect(JSON.parse(answer)).toEqual({
      code: "unimplemented",
      message: "there is nothing at this address",
    });
    for (const other of [mistyped, elsewhere]) {
      expect([other.status, await other.text()]).toEqual([404, answer]);
      expect([...other.headers.keys()]).toEqual([...closed.headers.keys()]);
    }
  });
});

describe("what goes in and out", () => {
  test("JSON with what is zero or empty, times and int64 as strings", async () => {
    await using gateway = await startGateway({ reservation: { getAvailability: () => availability } });
    const response = await gateway.post(AVAILABILITY, { eventId: EVENT_ID, fromTheFuture: { a: [1] } });
    expect(response.status).toBe(200);
    const json = await response.json();
    expect(json.ticketTypes[0]).toMatchObject({
      price: { currencyCode: "EUR", minorUnits: "4900" },
      available: 0,
      category: "",
      status: "AVAILABILITY_STATUS_SOLD_OUT",
    });
  });

  test.each([
    ["Connect with JSON", createConnectTransport, false],
    ["Connect in binary", createConnectTransport, true],
    ["gRPC-Web with JSON", createGrpcWebTransport, false],
    ["gRPC-Web in binary", createGrpcWebTransport, true],
  ])("%s", async (_, createTransport, useBinaryFormat) => {
    await using gateway = await startGateway({
      reservation: {
        getAvailability: () => availability,
        reserve: () => {
          throw new BoxofficeError("SOLD_OUT", "sold out", { metadata: { available: 1 } });
        },
      },
    });
    const transport = createTransport({ baseUrl: gateway.url, httpVersion: "1.1", useBinaryFormat });
    const client = createClient(ReservationService, transport);
    const answer = await client.getAvailability({ eventId: EVENT_ID });
    expect(answer.ticketTypes[0]?.price?.minorUnits).toBe(4900n);
    const items = [{ ticketTypeId: EVENT_ID, quantity: 1 }];
    const error = await client.reserve({ eventId: EVENT_ID, items }).then(() => undefined, ConnectError.from);
    expect(error?.code).toBe(Code.FailedPrecondition);
    expect(error?.findDetails(ErrorInfoSchema)[0]).toMatchObject({
      reason: "SOLD_OUT",
      metadata: { available: "1" },
    });
  });

  test("GET with JSON and with base64", async () => {
    await using gateway = await startGateway({ reservation: { getAvailability: () => availability } });
    const message = encodeURIComponent(JSON.stringify({ eventId: EVENT_ID }));
    const json = await fetch(`${gateway.url}/${AVAILABILITY}?encoding=json&message=${message}`);
    expect((await json.json()).eventId).toBe(EVENT_ID);
    const transport = createConnectTransport({
      baseUrl: gateway.url,
      httpVersion: "1.1",
      useBinaryFormat: true,
      useHttpGet: true,
    });
    const answer = await createClient(ReservationService, transport).getAvailability({ eventId: EVENT_ID });
    expect(answer.eventId).toBe(EVENT_ID);
  });
});

describe("errors", () => {
  test("say why in words, with what a program needs", async () => {
    await using gateway = await startGateway({
      reservation: {
        reserve: () => {
          throw new BoxofficeError("OVERLOADED", "too many at once", { retryAfterMs: 1500 });
        },
        pauseSales: () => {
          throw invalidField("event_id", "is not today's");
        },
      },
    });
    const items = [{ ticketTypeId: EVENT_ID, quantity: 1 }];
    const overloaded = await gateway.post(RESERVE, { eventId: EVENT_ID, items });
    expect(overloaded.status).toBe(503);
    const error = (await overloaded.json()) as ErrorJson;
    expect(error.message).toBe("too many at once");
    expect(debugOf(error, "ErrorInfo")).toEqual({ reason: "OVERLOADED", domain: "boxoffice", metadata: {} });
    expect(debugOf(error, "RetryInfo")).toEqual({ retryDelay: "1.500s" });
    const invalid = await gateway.post(PAUSE, { eventId: EVENT_ID }, await gateway.bearer("operator"));
    expect(debugOf((await invalid.json()) as ErrorJson, "BadRequest")).toMatchObject({
      fieldViolations: [{ field: "event_id", description: "is not today's" }],
    });
  });

  test("a rule of the contract that is broken arrives with its field", async () => {
    await using gateway = await startGateway({});
    expect(await refusalOf(await gateway.post(RESERVE, { eventId: "nonsense" }))).toEqual({
      status: 400,
      code: "invalid_argument",
      reason: "INVALID_REQUEST",
      field: "event_id",
    });
  });

  test("a reason that the gateway does not know is passed on readable", async () => {
    await using gateway = await startGateway({
      reservation: {
        reserve: () => {
          const value = { reason: "NEW_IN_2030", domain: "boxoffice", metadata: { a: "b" } };
          throw new ConnectError("new", Code.FailedPrecondition, undefined, [
            { desc: ErrorInfoSchema, value },
          ]);
        },
      },
    });
    const items = [{ ticketTypeId: EVENT_ID, quantity: 1 }];
    const answer = await refusalOf(await gateway.post(RESERVE, { eventId: EVENT_ID, items }));
    expect(answer).toMatchObject({ status: 400, code: "failed_precondition", reason: "NEW_IN_2030" });
  });

  test("a fault says that there was one, and is logged", async () => {
    await using gateway = await startGateway({
      reservation: {
        getAvailability: () => {
          throw new Error("password of the database: hunter2");
        },
      },
    });
    const response = await gateway.post(AVAILABILITY, { eventId: EVENT_ID });
    expect([response.status, await response.json()]).toEqual([
      500,
      { code: "internal", message: "internal error" },
    ]);
    expect(gateway.logged).toMatchObject([{ method: AVAILABILITY, msg: "a call failed unexpectedly" }]);
  });

  test("services that are away", async () => {
    await using gateway = await startGateway({});
    await gateway.backend.close(0);
    const response = await gateway.post(AVAILABILITY, { eventId: EVENT_ID });
    const error = (await response.json()) as ErrorJson;
    expect([response.status, error.code]).toEqual([503, "unavailable"]);
    expect(debugOf(error, "ErrorInfo")?.reason).toBe("DEPENDENCY_UNAVAILABLE");
    expect(debugOf(error, "RetryInfo")).toEqual({ retryDelay: "1s" });
  });
});

describe("who calls", () => {
  test("an operator's bearer reaches the service, which decides", async () => {
    const subjects: string[] = [];
    await using gateway = await startGateway({
      reservation: {
        pauseSales: (_, context) => {
          const caller = callerOf(context);
          subjects.push(caller.kind === "operator" ? caller.subject : caller.kind);
          return {};
        },
      },
    });
    const request = { eventId: EVENT_ID };
    expect((await gateway.post(PAUSE, request, await gateway.bearer("operator"))).status).toBe(200);
    const refusals: Record<string, Record<string, string>> = {
      nobody: {},
      "a forged token": { authorization: "Bearer eyJhbGciOiJub25lIn0.e30." },
      "no bearer": { authorization: "Basic YTpi" },
      "no ASCII": { authorization: "Bearer caf\u00e9" },
      "very long": { authorization: `Bearer ${"x".repeat(12_000)}` },
    };
    for (const [who, headers] of Object.entries(refusals)) {
      const refusal = await refusalOf(await gateway.post(PAUSE, request, headers));
      expect([who, refusal]).toMatchObject([who, { status: 401, reason: "UNAUTHENTICATED" }]);
    }
    const asService = await gateway.post(PAUSE, request, await gateway.bearer("catalog"));
    expect(await refusalOf(asService)).toMatchObject({ status: 403, reason: "PERMISSION_DENIED" });
    expect(subjects).toEqual(["test"]);
    expect(gateway.logged).toEqual([]);
  });
});
