import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { envelope } from "../envelope.ts";
import { openClients, shortened } from "../limits/clients.ts";
import { Overload } from "../limits/overload.ts";
import { RateLimit } from "../limits/rate-limit.ts";
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

const wish = { eventId: EVENT_ID, items: [{ ticketTypeId: EVENT_ID, quantity: 1 }] };
const reserve = () => ({ reservation: { eventId: EVENT_ID } });
const WATCH = "boxoffice.reservation.v1.ReservationService/WatchAvailability";

describe("whose request it is", () => {
  const trusted = "10.0.0.0/8, ::1";
  test.each([
    ["a direct connection", "", "192.0.2.1", undefined, "192.0.2.1"],
    ["what a stranger claims", trusted, "192.0.2.1", "203.0.113.9", "192.0.2.1"],
    ["what a proxy says", trusted, "10.1.2.3", "203.0.113.9", "203.0.113.9"],
    [
      "what a proxy says who listens on both versions",
      trusted,
      "::ffff:10.1.2.3",
      "203.0.113.9",
      "203.0.113.9",
    ],
    [
      "the nearest that is no proxy, whatever is claimed before",
      trusted,
      "10.1.2.3",
      "1.1.1.1, 203.0.113.9, 10.9.9.9",
      "203.0.113.9",
    ],
    ["nonsense", trusted, "10.1.2.3", "203.0.113.9, unknown", "10.1.2.3"],
    ["a proxy that says nothing", trusted, "10.1.2.3", undefined, "10.1.2.3"],
    ["version 6 by network", trusted, "::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"],
    ["version 6, abbreviated", "", "2001:db8::5", undefined, "2001:db8:0:0::"],
  ])("%s", (_, proxies, remoteAddress, forwarded, expected) => {
    const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
    expect(openClients(proxies).of({ socket: { remoteAddress } as Socket, headers })).toBe(expected);
  });

  test("a proxy that nobody trusts is told of once", () => {
    let warnings = 0;
    const clients = openClients("", () => warnings++);
    const from = (headers: Record<string, string>) =>
      clients.of({ socket: { remoteAddress: "10.0.0.1" } as Socket, headers });
    expect([from({}), warnings]).toEqual(["10.0.0.1", 0]);
    expect([from({ "x-forwarded-for": "192.0.2.1" }), warnings]).toEqual(["10.0.0.1", 1]);
    expect([from({ "x-forwarded-for": "192.0.2.2" }), warnings]).toEqual(["10.0.0.1", 1]);
  });

  test.each(["10.0.0.0/33", "proxy", "10.0.0.0/", "::1/129"])("%s is no proxy", (proxies) => {
    expect(() => openClients(proxies)).toThrow(/^TRUSTED_PROXIES must be /);
  });

  test("logs tell networks, not people", () => {
    expect([shortened("192.0.2.77"), shortened("2001:db8:1:2::")]).toEqual(["192.0.2.0", "2001:db8:1::"]);
  });
});

describe("how much a client may ask", () => {
  test("in any time, no more than the burst and the rate, and at once again when told so", () => {
    const steps = fc.array(fc.nat({ max: 3_000 }), { maxLength: 300 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 20 }), (gapsMs, perSecond) => {
        const limit = new RateLimit(perSecond, 10);
        let [nowMs, allowed] = [0, 0];
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          const { isAllowed, retryAfterMs } = limit.take("a", 1, nowMs);
          if (isAllowed) allowed++;
          else if (!limit.take("a", 1, nowMs + retryAfterMs).isAllowed) return false;
          else {
            nowMs += retryAfterMs;
            allowed++;
          }
        }
        return allowed <= limit.burst + (nowMs / 1_000) * perSecond + 1e-6;
      }),
    );
  });

  test("who asks too much is told when to come back, and nobody else is", async () => {
    await using gateway = await startGateway(
      { reservation: { reserve } },
      { ratePerSecond: 1, trustedProxies: "127.0.0.1" },
    );
    const from = (client: string) => gateway.post(RESERVE, wish, { "x-forwarded-for": client });
    for (let left = 9; left >= 0; left--) {
      const { status, headers } = await from("192.0.2.1");
      expect([status, headers.get("ratelimit-policy")]).toEqual([200, '"requests";q=10;w=10']);
      expect(Number(/r=(\d+)/.exec(headers.get("ratelimit") ?? "")?.[1])).toBeGreaterThanOrEqual(left);
    }
    let refused = await from("192.0.2.1");
    for (let more = 0; more < 20 && refused.status === 200; more++) refused = await from("192.0.2.1");
    expect([refused.status, Number(refused.headers.get("retry-after"))]).toEqual([429, 1]);
    const error = (await refused.json()) as ErrorJson;
    expect(error.code).toBe("resource_exhausted");
    expect(debugOf(error, "ErrorInfo")?.reason).toBe("RATE_LIMITED");
    expect(debugOf(error, "RetryInfo")?.retryDelay).toMatch(/^[0-9.]+s$/);
    expect((await from("192.0.2.2")).status).toBe(200);
  });

  test("a page full of reads costs little, and answers that caches keep say nothing of it", async () => {
    await using gateway = await startGateway(
      { reservation: { getAvailability: () => ({ eventId: EVENT_ID }) } },
      { ratePerSecond: 1 },
    );
    const query = `encoding=json&message=${encodeURIComponent(JSON.stringify({ eventId: EVENT_ID }))}`;
    for (let read = 0; read < 60; read++) {
      const response = await fetch(`${gateway.url}/${AVAILABILITY}?${query}`);
      expect([response.status, response.headers.get("ratelimit")]).toEqual([200, null]);
      await response.arrayBuffer();
    }
  });

  test("an operator counts by name, and whoever guesses bearers apart from the buyers behind the same address", async () => {
    await using gateway = await startGateway(
      { reservation: { reserve, pauseSales: () => ({}) } },
      { ratePerSecond: 1 },
    );
    const operator = await gateway.bearer("operator");
    const bad = { authorization: "Bearer nonsense" };
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 40; attempt++) {
      statuses.push((await gateway.post(RESERVE, wish, bad)).status);
    }
    expect([statuses[0], statuses.includes(429)]).toEqual([401, true]);
    expect((await gateway.post(RESERVE, wish)).status).toBe(200);
    expect((await gateway.post(PAUSE, { eventId: EVENT_ID }, operator)).status).toBe(200);
  });
});

describe("what a client may have open", () => {
  test("as many streams as are set, and room again when one ends", async () => {
    await using gateway = await startGateway(
      {
        reservation: {
          async *watchAvailability({ eventId }, { signal }) {
            yield { eventId };
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
          },
        },
      },
      { streamsPerClient: 2 },
    );
    const open = async () => {
      const leaving = new AbortController();
      const response = await fetch(`${gateway.url}/${WATCH}`, {
        method: "POST",
        headers: { "content-type": "application/connect+json" },
        body: envelope(0, JSON.stringify({ eventId: EVENT_ID })) as BodyInit,
        signal: leaving.signal,
      });
      const { value } = (await response.body?.getReader().read()) ?? {};
      return { text: Buffer.from(value ?? []).toString(), leave: () => leaving.abort() };
    };
    const first = await open();
    expect((await open()).text).toContain(EVENT_ID);
    expect((await open()).text).toContain("RATE_LIMITED");
    first.leave();
    await expect.poll(async () => (await open()).text).toContain(EVENT_ID);
  });

  test("as many connections as are set", async () => {
    await using gateway = await startGateway({}, { connectionsPerClient: 2 });
    const open = () =>
      new Promise<Socket | undefined>((resolve) => {
        const socket = connect(gateway.port, "127.0.0.1", () =>
          socket.write("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"),
        );
        socket.on("data", () => resolve(socket));
        socket.on("error", () => resolve(undefined));
        socket.on("close", () => resolve(undefined));
      });
    const [first, second, third] = [await open(), await open(), await open()];
    expect([first === undefined, second === undefined, third]).toEqual([false, false, undefined]);
    first?.destroy();
    await expect.poll(open).toBeDefined();
    second?.destroy();
  });
});

describe("above what can be served", () => {
  test("it refuses at once, with when to come back, and goes on with what it has and with what it knows", async () => {
    const served = Promise.withResolvers<void>();
    await using gateway = await startGateway(
      {
        reservation: {
          getAvailability: () => ({ eventId: EVENT_ID }),
          getReservation: async () => {
            await served.promise;
            return {};
          },
        },
      },
      { maxInFlight: 2 },
    );
    const query = `encoding=json&message=${encodeURIComponent(JSON.stringify({ eventId: EVENT_ID }))}`;
    const readStatus = async (more = "") =>
      (await fetch(`${gateway.url}/${AVAILABILITY}?${query}${more}`)).status;
    expect(await readStatus()).toBe(200);
    const GET = "boxoffice.reservation.v1.ReservationService/GetReservation";
    const waiting = [1, 2].map(() => gateway.post(GET, { reservationId: EVENT_ID }));
    await expect.poll(() => gateway.routeOptions.limits.overload.inFlight).toBe(2);
    const refused = await gateway.post(RESERVE, wish);
    expect(debugOf((await refused.clone().json()) as ErrorJson, "RetryInfo")?.retryDelay).toMatch(
      /^[0-9.]+s$/,
    );
    expect(await refusalOf(refused)).toMatchObject({ status: 503, reason: "OVERLOADED" });
    expect([await readStatus(), await readStatus("&x=1")]).toEqual([200, 503]);
    served.resolve();
    for (const response of await Promise.all(waiting)) expect(response.status).toBe(200);
    expect((await gateway.post(AVAILABILITY, { eventId: EVENT_ID })).status).toBe(200);
  });

  test("a process that has much to do and comes round late refuses more and more, until it is in time again", () => {
    const overload = new Overload({ maxInFlight: 1_000_000 });
    const refused = () =>
      Array.from({ length: 1_000 }, () => overload.enter("a")).filter((leave) => !leave).length;
    for (let round = 0; round < 50; round++) overload.note(400);
    for (let request = 0; request < 100; request++) expect(overload.enter("a")).toBeDefined();
    for (let round = 0; round < 100; round++) overload.note(1);
    expect(refused()).toBe(0);
    for (let round = 0; round < 5; round++) overload.note(400);
    expect(refused()).toBeGreaterThan(400);
    for (let round = 0; round < 100; round++) overload.note(400);
    expect(refused()).toBeLessThan(1_000); // what is let in shows whether it still is late
    for (let round = 0; round < 100; round++) overload.note(1);
    expect(refused()).toBe(0);
    overload.close();
  });
});

describe("what is written down of a request", () => {
  test("its id is the client's where it looks like one", async () => {
    await using gateway = await startGateway({});
    const idOf = async (given?: string) =>
      (
        await fetch(`${gateway.url}/livez`, { headers: given === undefined ? {} : { "x-request-id": given } })
      ).headers.get("x-request-id");
    expect(await idOf("checkout-7.a_B")).toBe("checkout-7.a_B");
    const own = await Promise.all([idOf(), idOf("has spaces"), idOf("x".repeat(65))]);
    expect(new Set(own).size).toBe(3);
    for (const id of own) expect(id).toMatch(/^[\w-]{8,24}$/);
  });

  test("the log says what was asked for and how it ended, under the same id, and no secret", async () => {
    const secret = "0198c1f0-5ec2-7e70-8000-000000000abc";
    await using gateway = await startGateway(
      {
        reservation: {
          getReservation: () => {
            throw new Error("broken");
          },
        },
      },
      { accessLog: "all" },
    );
    const method = "boxoffice.reservation.v1.ReservationService/GetReservation";
    const headers = {
      "x-request-id": "mine",
      authorization: (await gateway.bearer("operator")).authorization,
    };
    await gateway.post(method, { reservationId: secret }, headers);
    await fetch(`${gateway.url}/reservations/${secret}?id=${secret}`);
    await fetch(`${gateway.url}/${secret}`);
    const requests = () => gateway.accessed.filter(({ msg }) => msg === "request");
    await expect.poll(() => requests().length).toBe(3);
    expect(requests()[0]).toMatchObject({
      requestId: "mine",
      route: `/${method}`,
      status: 500,
      client: "127.0.0.0",
    });
    expect(requests()[1]).toMatchObject({ route: "other", status: 404 });
    expect(gateway.logged).toMatchObject([{ requestId: "mine", method }]);
    const all = JSON.stringify([gateway.accessed, gateway.logged]);
    expect(all).not.toContain(secret);
    expect(all).not.toContain(headers.authorization.slice(7));
  });
});
