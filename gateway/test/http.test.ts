import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { systemRuntime } from "@boxoffice/platform/runtime.ts";
import { describe, expect, test } from "vitest";
import { Backends } from "../backends.ts";
import { clampTimeout } from "../clamp-timeout.ts";
import { parseOrigins } from "../cors.ts";
import { AVAILABILITY, EVENT_ID, startGateway } from "./harness.ts";

const EVENT = "boxoffice.catalog.v1.CatalogService/GetEvent";
const EVENTS = "boxoffice.catalog.v1.CatalogService/ListEvents";
const PAYMENT = "boxoffice.payment.v1.PaymentService/GetPayment";

const query = (message: object) => `encoding=json&message=${encodeURIComponent(JSON.stringify(message))}`;

describe("what caches may keep", () => {
  test.each([
    ["availability", AVAILABILITY, "public, max-age=1"],
    ["an event", EVENT, "public, max-age=5"],
    ["events", EVENTS, "public, max-age=5"],
  ])("%s", async (_, method, expected) => {
    await using gateway = await startGateway({
      reservation: { getAvailability: () => ({}) },
      catalog: { getEvent: () => ({}), listEvents: () => ({}) },
    });
    const message = method === EVENTS ? {} : { eventId: EVENT_ID };
    const url = `${gateway.url}/${method}?${query(message)}`;
    const shared = await fetch(url);
    expect([shared.status, shared.headers.get("cache-control")]).toEqual([200, expected]);
    expect(shared.headers.get("vary")).toBe("Accept-Encoding");
    expect(shared.headers.get("x-content-type-options")).toBe("nosniff");
    const own = await fetch(url, { headers: await gateway.bearer("operator") });
    expect([own.status, own.headers.get("cache-control")]).toEqual([200, "no-store"]);
    const posted = await gateway.post(method, message);
    expect([posted.status, posted.headers.get("cache-control")]).toEqual([200, "no-store"]);
  });

  test("no error, and nothing else", async () => {
    await using gateway = await startGateway({
      catalog: {
        getEvent: () => {
          throw new BoxofficeError("EVENT_NOT_FOUND", "there is no such event");
        },
      },
      payment: { getPayment: () => ({}) },
    });
    const missing = await fetch(`${gateway.url}/${EVENT}?${query({ eventId: EVENT_ID })}`);
    expect([missing.status, missing.headers.get("cache-control")]).toEqual([404, "no-store"]);
    const payment = await gateway.post(PAYMENT, { paymentId: EVENT_ID });
    expect([payment.status, payment.headers.get("cache-control")]).toEqual([200, "no-store"]);
    const unknown = await fetch(`${gateway.url}/nothing`);
    expect([unknown.status, unknown.headers.get("cache-control")]).toEqual([404, "no-store"]);
  });
});

describe("pages of other origins", () => {
  const preflight = (url: string, origin: string) =>
    fetch(url, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
      },
    });

  test("may call where they are listed", async () => {
    const origin = "https://shop.example";
    await using gateway = await startGateway(
      { reservation: { getAvailability: () => ({}) } },
      { corsOrigins: [origin] },
    );
    const asked = await preflight(`${gateway.url}/${AVAILABILITY}`, origin);
    expect(asked.status).toBe(204);
    expect(asked.headers.get("access-control-allow-origin")).toBe(origin);
    expect(asked.headers.get("access-control-allow-methods")).toContain("POST");
    expect(asked.headers.get("access-control-allow-headers")).toMatch(/content-type.*authorization/i);
    const called = await gateway.post(AVAILABILITY, { eventId: EVENT_ID }, { origin });
    expect(called.headers.get("access-control-allow-origin")).toBe(origin);
    expect(called.headers.get("vary")).toBe("Accept-Encoding, Origin");

    const other = await preflight(`${gateway.url}/${AVAILABILITY}`, "https://evil.example");
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
    expect(other.headers.get("vary")).toBe("Accept-Encoding, Origin");
  });

  test.each([
    ["", []],
    ["https://a.example, http://localhost:5173", ["https://a.example", "http://localhost:5173"]],
  ])("are configured as %j", (list, expected) => {
    expect([...parseOrigins(list)]).toEqual(expected);
  });

  test.each(["*", "a.example", "https://a.example/", "https://a.example/shop", "null"])(
    "%j is none",
    (list) => {
      expect(() => parseOrigins(list)).toThrow(/CORS_ORIGINS/);
    },
  );
});

describe("probes", () => {
  test("ready as soon as a service answers, and not when none does any more", async () => {
    await using gateway = await startGateway({});
    const ready = async () => (await fetch(`${gateway.url}/readyz`)).status;
    for (const until = Date.now() + 3000; (await ready()) !== 200; await delay(20))
      expect(Date.now()).toBeLessThan(until);
    expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
    await gateway.backend.close(0);
    for (const until = Date.now() + 5000; (await ready()) !== 503; await delay(20))
      expect(Date.now()).toBeLessThan(until);
    expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
  });

  test("after a start, every service is waited for, but not for ever", async () => {
    await using gateway = await startGateway({});
    const { address } = gateway;
    let nowMs = 0;
    const backends = new Backends(
      { catalog: address, reservation: address, payment: address, stats: "127.0.0.1:1" },
      { ...systemRuntime, nowMs: () => nowMs },
      createLogger("gateway", "silent"),
    );
    const watching = new AbortController();
    const watched = backends.watch(watching.signal);
    await delay(300);
    expect(backends.isReady).toBe(false);
    nowMs = 10_001;
    await expect.poll(() => backends.isReady).toBe(true);
    watching.abort();
    await watched;
    backends.close();
  });
});

describe("the client's time", () => {
  test("when it is over, the answer is that it is over", async () => {
    const cancelled = Promise.withResolvers<void>();
    await using gateway = await startGateway({
      reservation: {
        getAvailability: async (_, { signal }) => {
          signal.addEventListener("abort", () => cancelled.resolve());
          await cancelled.promise;
          return {};
        },
      },
    });
    const startedAt = Date.now();
    const response = await gateway.post(AVAILABILITY, { eventId: EVENT_ID }, { "connect-timeout-ms": "150" });
    expect([response.status, await response.json()]).toEqual([
      504,
      { code: "deadline_exceeded", message: "the time for this call is over" },
    ]);
    expect(Date.now() - startedAt).toBeLessThan(1500);
    await cancelled.promise;
  });

  test.each([
    ["grpc-timeout", "5S", "5S"],
    ["grpc-timeout", "99999999H", "30000m"],
    ["grpc-timeout", "31S", "30000m"],
    ["grpc-timeout", "soon", "soon"],
    ["connect-timeout-ms", "30001", "30000"],
    ["connect-timeout-ms", "-1", "-1"],
  ])("%s: %s is taken as %s", (name, given, expected) => {
    const headers = new Headers({ [name]: given });
    clampTimeout(headers, { methodKind: "unary" });
    expect(headers.get(name)).toBe(expected);
  });
});

describe("the end", () => {
  test("goes on until proxies have noticed, lets a request finish, and waits for no idle connection", async () => {
    const arrived = Promise.withResolvers<void>();
    await using gateway = await startGateway({
      reservation: {
        getAvailability: async () => {
          arrived.resolve();
          await delay(300);
          return { eventId: EVENT_ID };
        },
      },
    });
    const [, used] = await Promise.all([openConnection(gateway.url), openConnection(gateway.url)]);
    const pending = gateway.post(AVAILABILITY, { eventId: EVENT_ID });
    await arrived.promise;
    const startedAt = Date.now();
    const closed = gateway.gateway.close(5000);
    const late = await openConnection(gateway.url); // it was on its way already
    expect(late.first).toMatch(/^connection: close\r$/im);
    expect(await used.ask()).toMatch(/^HTTP\/1.1 200 OK\r\n(.*\r\n)*connection: close\r\n/i);
    expect((await (await pending).json()).eventId).toBe(EVENT_ID);
    await closed;
    await expect(openConnection(gateway.url)).rejects.toThrow("ECONNREFUSED");
    expect(Date.now() - startedAt).toBeLessThan(3000);
  });

  test("cuts off what takes longer than the grace", async () => {
    const arrived = Promise.withResolvers<void>();
    await using gateway = await startGateway({
      reservation: {
        getAvailability: async () => {
          arrived.resolve();
          await delay(3000);
          return {};
        },
      },
    });
    const pending = gateway.post(AVAILABILITY, { eventId: EVENT_ID }).catch((error: unknown) => error);
    await arrived.promise;
    const startedAt = Date.now();
    await gateway.gateway.close(100);
    expect(Date.now() - startedAt).toBeLessThan(1000);
    expect(await pending).toBeInstanceOf(Error);
  });

  test("a client that hangs up cancels the call behind", async () => {
    const arrived = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    await using gateway = await startGateway({
      reservation: {
        getAvailability: async (_, { signal }) => {
          signal.addEventListener("abort", () => cancelled.resolve());
          arrived.resolve();
          await cancelled.promise;
          return {};
        },
      },
    });
    const leaving = new AbortController();
    const pending = fetch(`${gateway.url}/${AVAILABILITY}?${query({ eventId: EVENT_ID })}`, {
      signal: leaving.signal,
    });
    pending.catch(() => undefined);
    await arrived.promise;
    leaving.abort();
    await cancelled.promise;
    expect(gateway.logged).toEqual([]);
  });
});

/** A connection that has been used once, and stays open. */
async function openConnection(url: string): Promise<{ first: string; ask(): Promise<string> }> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  const ask = async () => {
    socket.write("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
    const [answer] = await once(socket, "data");
    return String(answer);
  };
  return { first: await ask(), ask };
}
