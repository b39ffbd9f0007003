import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureKeys } from "@boxoffice/platform/auth/keys.ts";
import { createVerifier } from "@boxoffice/platform/auth/verifier.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { HealthState } from "@boxoffice/platform/rpc/health.ts";
import { createRpcServer } from "@boxoffice/platform/rpc/server.ts";
import { service } from "@boxoffice/platform/rpc/service.ts";
import {
  ReservationService,
  type ReserveRequest,
  ReserveRequestSchema,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { drive } from "../load/drive.ts";
import { type LoadSpec, NEW_ID, RESERVATION_ID } from "../load/spec.ts";

const EVENT = "01980000-0000-7000-8000-000000000001";
const TYPE = "01980000-0000-7000-8000-000000000002";
const HELD = "01980000-0000-7000-8000-000000000003";

const keysFolder = mkdtempSync(join(tmpdir(), "boxoffice-generator-"));
beforeAll(() => ensureKeys(keysFolder, ["reservation"]));
afterAll(() => rmSync(keysFolder, { recursive: true }));

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

describe("by gRPC", () => {
  test("every request is answered by a real server, and has an id of its own", async () => {
    const seen: string[] = [];
    const port = await grpcServer((request) => {
      seen.push(request.requestId);
    });
    const result = await drive(grpcSpec(port, { connections: 2, perConnection: 8 }), () => {});
    expect(result.completed).toBeGreaterThan(0);
    expect(result.refused).toEqual({});
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThanOrEqual(result.completed);
    expect(result.latencyMs.p50).toBeGreaterThan(0);
  });

  test("a refusal is not taken for an answer", async () => {
    let sold = 0;
    const port = await grpcServer(() => {
      if (sold === 10) throw new BoxofficeError("SALES_PAUSED", "not now");
      sold++;
    });
    const { begun, completed, refused } = await drive(grpcSpec(port, {}), () => {});
    expect(completed).toBe(10);
    expect(refused).toEqual({ refused: begun - 10 });
  });

  test("more is sent than the server's first window holds", async () => {
    const port = await grpcServer(() => {});
    const { begun, completed } = await drive(grpcSpec(port, { perConnection: 900 }), () => {});
    expect(begun).toBeGreaterThanOrEqual(900);
    expect(completed).toBe(begun);
  });

  test("arrivals come at their rate, and are timed from when they should have left", async () => {
    const port = await grpcServer(async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    const spec = grpcSpec(port, { perConnection: 4, ratePerSecond: 400 });
    const { begun, latencyMs } = await drive(spec, () => {});
    expect(begun).toBeGreaterThan(100);
    expect(begun).toBeLessThan(300);
    // 4 at a time and 50 ms each are 80 a second: of 400 a second the last ones wait long for their turn.
    expect(latencyMs.max).toBeGreaterThan(300);
  });
});

describe("by HTTP", () => {
  test("the second step names the reservation of the first", async () => {
    const paid: string[] = [];
    const port = await httpServer((path, body) => {
      if (path === "/reserve") return { reservation: { reservationId: HELD } };
      paid.push(JSON.parse(body).reservationId);
      return {};
    });
    const { completed } = await drive(
      httpSpec(port, [
        { path: "/reserve", body: JSON.stringify({ requestId: NEW_ID }) },
        { path: "/pay", body: JSON.stringify({ reservationId: RESERVATION_ID }) },
      ]),
      () => {},
    );
    expect(completed).toBeGreaterThan(0);
    expect(paid.length).toBeGreaterThanOrEqual(completed);
    expect(new Set(paid)).toEqual(new Set([HELD]));
  });

  test("answers that say no are counted by their reason", async () => {
    const port = await httpServer(() => ({ status: 400, details: [{ debug: { reason: "SOLD_OUT" } }] }));
    const { completed, refused } = await drive(httpSpec(port, [{ path: "/reserve", body: "{}" }]), () => {});
    expect(completed).toBe(0);
    expect(refused["400 SOLD_OUT"]).toBeGreaterThan(0);
  });

  test("a connection that breaks is opened again", async () => {
    let answers = 0;
    const port = await httpServer((_path, _body, destroy) => {
      answers++;
      if (answers === 1) destroy();
      return {};
    });
    const { completed, lost, refused } = await drive(
      httpSpec(port, [{ path: "/reserve", body: "{}" }]),
      () => {},
    );
    expect(lost).toBe(1);
    expect(refused).toEqual({ "connection lost": 1 });
    expect(completed).toBeGreaterThan(0);
  });
});

const TIMES = { seconds: 0.5, countFrom: 0 };

function grpcSpec(port: number, crowd: Partial<LoadSpec>): LoadSpec {
  const request = { eventId: EVENT, items: [{ ticketTypeId: TYPE, quantity: 1 }], requestId: NEW_ID };
  const body = Buffer.from(toBinary(ReserveRequestSchema, create(ReserveRequestSchema, request)));
  const path = "/boxoffice.reservation.v1.ReservationService/Reserve";
  return {
    protocol: "grpc",
    host: "127.0.0.1",
    port,
    connections: 1,
    perConnection: 4,
    ...TIMES,
    journeys: [[{ method: "POST", path, body: body.toString("base64") }]],
    ...crowd,
  };
}

function httpSpec(port: number, steps: { path: string; body: string }[]): LoadSpec {
  const journey = steps.map(({ path, body }) => ({
    method: "POST" as const,
    path,
    body: Buffer.from(body).toString("base64"),
  }));
  return {
    protocol: "http",
    host: "127.0.0.1",
    port,
    connections: 3,
    perConnection: 1,
    ...TIMES,
    journeys: [journey],
  };
}

async function grpcServer(reserve: (request: ReserveRequest) => Promise<void> | void): Promise<number> {
  const log = createLogger("test");
  log.level = "silent";
  const server = createRpcServer({
    name: "test",
    services: [
      service(ReservationService, {
        async reserve(request) {
          await reserve(request);
          return { reservation: { reservationId: HELD } };
        },
      }),
    ],
    verifier: createVerifier({ jwksFile: join(keysFolder, "jwks.json"), audience: "reservation", log }),
    health: new HealthState(),
    log,
  });
  cleanups.push(() => server.close(0));
  return server.listen("127.0.0.1", 0);
}

type Answer = (path: string, body: string, destroy: () => void) => object;

async function httpServer(answer: Answer): Promise<number> {
  const server: Server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const { status = 200, ...json }: { status?: number } = answer(request.url ?? "", body, () =>
        request.socket.destroy(),
      );
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
