import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { envelope } from "../envelope.ts";
import { EVENT_ID, type Impls, startGateway, type TestGateway } from "./harness.ts";

const WATCH = "boxoffice.reservation.v1.ReservationService/WatchAvailability";

/** A service whose stream tells a number, again whenever it changes, until it is told to break. */
function counter() {
  const sale = { left: 0, opened: 0, open: 0, broken: new AbortController() };
  let wake = Promise.withResolvers<void>();
  const impls: Impls = {
    reservation: {
      async *watchAvailability({ eventId }, { signal }) {
        sale.opened++;
        sale.open++;
        try {
          while (!signal.aborted && !sale.broken.signal.aborted) {
            yield { eventId, ticketTypes: [{ name: "Standing", available: sale.left }] };
            const ended = new Promise((resolve) => signal.addEventListener("abort", resolve));
            await Promise.race([wake.promise, ended]);
          }
        } finally {
          sale.open--;
        }
        if (!signal.aborted) throw new BoxofficeError("DEPENDENCY_UNAVAILABLE", "the service is stopping");
      },
    },
  };
  const set = (left: number) => {
    sale.left = left;
    wake.resolve();
    wake = Promise.withResolvers();
  };
  return { sale, impls, set };
}

function clientOf({ url }: TestGateway, useBinaryFormat = false, createTransport = createConnectTransport) {
  return createClient(
    ReservationService,
    createTransport({ baseUrl: url, httpVersion: "1.1", useBinaryFormat }),
  );
}

/** Watches until `signal` aborts: every number that was shown, with the time, and how it ended. */
function watch(client: ReturnType<typeof clientOf>, signal: AbortSignal, eventId = EVENT_ID) {
  const shown: { left: number | undefined; atMs: number }[] = [];
  const ended = (async () => {
    try {
      for await (const { ticketTypes } of client.watchAvailability({ eventId }, { signal })) {
        shown.push({ left: ticketTypes[0]?.available, atMs: performance.now() });
      }
      return undefined;
    } catch (error) {
      return ConnectError.from(error);
    }
  })();
  return { shown, ended, last: () => shown.at(-1)?.left };
}

describe("viewers of one event", () => {
  test("share one stream from the service, see a snapshot at once, and then the changes", async () => {
    const { sale, impls, set } = counter();
    await using gateway = await startGateway(impls);
    const stop = new AbortController();
    const client = clientOf(gateway);
    const viewers = Array.from({ length: 30 }, () => watch(client, stop.signal, EVENT_ID.toUpperCase()));
    await expect.poll(() => viewers.every(({ shown }) => shown.length === 1)).toBe(true);
    set(7);
    await expect.poll(() => viewers.every(({ last }) => last() === 7)).toBe(true);
    const late = watch(client, stop.signal);
    await expect.poll(late.last).toBe(7);
    expect(sale.opened).toBe(1);
    expect(gateway.feeds.size).toBe(1);
    stop.abort();
    await Promise.all(viewers.map(({ ended }) => ended));
    await expect.poll(() => [sale.open, gateway.feeds.size]).toEqual([0, 0]);
  });

  test("hear of changes ten times a second at most, and of the last one always", async () => {
    const { impls, set } = counter();
    await using gateway = await startGateway(impls);
    const stop = new AbortController();
    const viewer = watch(clientOf(gateway), stop.signal);
    await expect.poll(viewer.last).toBe(0);
    const startedAtMs = performance.now();
    for (let left = 1; left <= 100; left++) {
      set(left);
      await delay(5);
    }
    await expect.poll(viewer.last).toBe(100);
    const seconds = ((viewer.shown.at(-1)?.atMs ?? 0) - startedAtMs) / 1_000;
    expect(viewer.shown.length).toBeLessThanOrEqual(10 * seconds + 3);
    stop.abort();
  });

  test("do not notice when the service restarts", async () => {
    const { sale, impls, set } = counter();
    await using gateway = await startGateway(impls);
    const stop = new AbortController();
    const viewer = watch(clientOf(gateway), stop.signal);
    await expect.poll(viewer.last).toBe(0);
    sale.broken.abort();
    set(1);
    await delay(300);
    expect(viewer.last()).toBe(0);
    sale.broken = new AbortController();
    await expect.poll(viewer.last).toBe(1);
    expect(sale.opened).toBeGreaterThan(1);
    stop.abort();
    expect((await viewer.ended)?.code).toBe(Code.Canceled);
  });

  test("who come while the service is away are not shown what may be wrong", async () => {
    const { sale, impls } = counter();
    await using gateway = await startGateway(impls);
    const stop = new AbortController();
    const early = watch(clientOf(gateway), stop.signal);
    await expect.poll(early.last).toBe(0);
    sale.broken.abort();
    await gateway.backend.close(0);
    const late = watch(clientOf(gateway), stop.signal);
    await delay(300);
    expect(late.shown).toEqual([]);
    stop.abort();
  });
});

describe("operators who watch one event's statistics", () => {
  /** Watches until told to stop, as an operator of their own or nobody: how many were held, and how it ended. */
  function watchStats({ url }: TestGateway, headers: Record<string, string>) {
    const client = createClient(StatsService, createConnectTransport({ baseUrl: url, httpVersion: "1.1" }));
    const stop = new AbortController();
    const shown: (bigint | undefined)[] = [];
    const ended = (async () => {
      try {
        const answers = client.watchEventStats({ eventId: EVENT_ID }, { signal: stop.signal, headers });
        for await (const { eventStats } of answers) shown.push(eventStats?.held);
        return undefined;
      } catch (error) {
        return ConnectError.from(error);
      }
    })();
    return { shown, ended, stop: () => stop.abort() };
  }

  /** Tells how many are held, whenever that changes, and notes with whose token it is asked. */
  function counting() {
    const { sale, impls, set } = counter();
    const bearers: (string | null)[] = [];
    const watchAvailability = impls.reservation?.watchAvailability;
    const stats: Impls["stats"] = {
      async *watchEventStats(request, context) {
        bearers.push(context.requestHeader.get("authorization"));
        for await (const { ticketTypes } of watchAvailability?.(request as never, context) ?? []) {
          const held = BigInt(ticketTypes?.[0]?.available ?? 0);
          yield { eventStats: { eventId: EVENT_ID, held } };
        }
      },
    };
    return { sale, set, bearers, impls: { stats } };
  }

  test("share one stream, which outlives the one who began it, and nobody else is let in", async () => {
    const { sale, set, bearers, impls } = counting();
    await using gateway = await startGateway(impls);
    const [anna, ben] = [await gateway.bearer("operator"), await gateway.bearer("operator")];
    expect(anna.authorization).not.toBe(ben.authorization);
    const first = watchStats(gateway, anna);
    await expect.poll(() => first.shown).toEqual([0n]);
    const second = watchStats(gateway, ben);
    await expect.poll(() => second.shown).toEqual([0n]);
    const refused = [watchStats(gateway, {}), watchStats(gateway, await gateway.bearer("catalog"))];
    const codes = await Promise.all(refused.map(async ({ ended }) => (await ended)?.code));
    expect(codes).toEqual([Code.Unauthenticated, Code.PermissionDenied]);
    expect(bearers).toEqual([anna.authorization]);

    first.stop();
    await first.ended;
    set(4);
    await expect.poll(() => second.shown.at(-1)).toBe(4n);
    sale.broken.abort();
    set(5);
    await delay(50);
    sale.broken = new AbortController();
    await expect.poll(() => second.shown.at(-1)).toBe(5n);
    expect(bearers.at(-1)).toBe(ben.authorization);
    second.stop();
    await expect.poll(() => [sale.open, gateway.feeds.size]).toEqual([0, 0]);
  });
});

describe("a viewer", () => {
  test.each([
    ["Connect with JSON", createConnectTransport, false],
    ["Connect in binary", createConnectTransport, true],
    ["gRPC-Web with JSON", createGrpcWebTransport, false],
    ["gRPC-Web in binary", createGrpcWebTransport, true],
  ])("may use %s, and is refused in it", async (_, createTransport, isBinary) => {
    const { impls, set } = counter();
    await using gateway = await startGateway(impls);
    const client = clientOf(gateway, isBinary, createTransport as typeof createConnectTransport);
    const stop = new AbortController();
    const viewer = watch(client, stop.signal);
    await expect.poll(viewer.last).toBe(0);
    set(5);
    await expect.poll(viewer.last).toBe(5);
    stop.abort();
    const error = await watch(client, new AbortController().signal, "nonsense").ended;
    expect([error?.code, error?.rawMessage]).toEqual([
      Code.InvalidArgument,
      expect.stringContaining("event_id"),
    ]);
  });

  test("who watches what is not there is told so, as the service says it", async () => {
    await using gateway = await startGateway({
      reservation: {
        // biome-ignore lint/correctness/useYield: it refuses
        async *watchAvailability() {
          throw new BoxofficeError("EVENT_NOT_FOUND", "There is no such event.");
        },
      },
    });
    const error = await watch(clientOf(gateway), new AbortController().signal).ended;
    expect([error?.code, error?.rawMessage]).toEqual([Code.NotFound, "There is no such event."]);
  });

  test("who sets a time is told when it is over", async () => {
    const { impls } = counter();
    await using gateway = await startGateway(impls);
    const message = envelope(0, JSON.stringify({ eventId: EVENT_ID }));
    const headers = { "content-type": "application/connect+json", "connect-timeout-ms": "300" };
    const response = await gateway.post(WATCH, message, headers);
    expect(endOf(Buffer.from(await response.arrayBuffer()))?.error.code).toBe("deadline_exceeded");
  });

  test("who shows a bad token is not let in", async () => {
    const { sale, impls } = counter();
    await using gateway = await startGateway(impls);
    const response = await gateway.post(WATCH, envelope(0, JSON.stringify({ eventId: EVENT_ID })), {
      "content-type": "application/connect+json",
      authorization: "Bearer nonsense",
    });
    expect(endOf(Buffer.from(await response.arrayBuffer()))?.error.code).toBe("unauthenticated");
    expect(sale.opened).toBe(0);
  });

  test("who does not read is shown the newest when they read again, and nothing is kept for them", async () => {
    const types = Array.from({ length: 2_000 }, (_, index) => ({ name: `A long name of a ticket ${index}` }));
    let left = 0;
    await using gateway = await startGateway({
      reservation: {
        async *watchAvailability({ eventId }, { signal }) {
          while (!signal.aborted) {
            yield { eventId, ticketTypes: types.map((type) => ({ ...type, available: left })) };
            left++;
            await delay(20);
          }
        },
      },
    });
    const answer = nextAnswer();
    const socket = connect(gateway.port, "127.0.0.1");
    const body = envelope(0, JSON.stringify({ eventId: EVENT_ID }));
    socket.write(
      `POST /${WATCH} HTTP/1.1\r\nHost: a\r\nContent-Type: application/connect+json\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body);
    await new Promise((resolve) => socket.once("data", resolve));
    socket.pause();
    const response = await answer;
    const patience = { timeout: 30_000 };
    await expect.poll(() => left, patience).toBeGreaterThan(250); // 50 messages, more than any socket's buffer takes
    expect(response.writableNeedDrain).toBe(true);
    expect(response.writableLength).toBeLessThan(1024 * 1024); // a message has 400 KB
    let received = "";
    const newest = left;
    socket.on("data", (chunk) => {
      received = (received + chunk.toString("latin1")).slice(-1_000);
    });
    socket.resume();
    const shown = () => Number(/.*"available":(\d+)/s.exec(received)?.[1] ?? 0);
    await expect.poll(shown).toBeGreaterThanOrEqual(newest);
    socket.destroy();
  });
});

test("a gateway that stops sends every viewer away, to come back", async () => {
  const { sale, impls } = counter();
  await using gateway = await startGateway(impls);
  const viewers = Array.from({ length: 5 }, () => watch(clientOf(gateway), new AbortController().signal));
  await expect.poll(() => viewers.every(({ last }) => last() === 0)).toBe(true);
  gateway.feeds.close();
  await gateway.gateway.close(5_000);
  for (const { ended } of viewers) expect((await ended)?.code).toBe(Code.Unavailable);
  await expect.poll(() => sale.open).toBe(0);
});

/** The next answer that a server of this process begins, as that server holds it. */
function nextAnswer(): Promise<ServerResponse> {
  return new Promise((resolve) => {
    const onStart = (message: unknown) => {
      unsubscribe("http.server.request.start", onStart);
      resolve((message as { response: ServerResponse }).response);
    };
    subscribe("http.server.request.start", onStart);
  });
}

type EndOfStream = { error: { code: string; message: string } };

/** The last message of a stream by Connect's protocol. */
function endOf(bytes: Buffer): EndOfStream | undefined {
  for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt32BE(at + 1)) {
    const data = bytes.subarray(at + 5, at + 5 + bytes.readUInt32BE(at + 1));
    if (bytes[at] === 2) return JSON.parse(data.toString());
  }
  return undefined;
}
