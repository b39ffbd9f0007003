import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from "node:http2";
import { connect as tcpConnect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { createLogger } from "@boxoffice/platform/log.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { Authority } from "../../test/support/certificates.ts";
import { openCertificate } from "../certificate.ts";
import { envelope } from "../envelope.ts";
import { AVAILABILITY, EVENT_ID, type Impls, startGateway, type TestGateway } from "./harness.ts";

const WATCH = "boxoffice.reservation.v1.ReservationService/WatchAvailability";

const impls: Impls = {
  reservation: {
    getAvailability: ({ eventId }) => ({ eventId }),
    async *watchAvailability({ eventId }, { signal }) {
      yield { eventId, ticketTypes: [{ available: 3 }] };
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  },
};

type Answer = { status: number; headers: IncomingHttpHeaders; body: string };

/** One request on a session. Without `until`, it reads to the end. */
function ask(
  session: ClientHttp2Session,
  path: string,
  {
    headers = {},
    body,
    until,
  }: { headers?: Record<string, string>; body?: string | Buffer; until?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":path": path,
      ":method": body === undefined ? "GET" : "POST",
      ...headers,
    });
    let answer: Answer | undefined;
    stream.on("response", (received) => {
      answer = { status: received[":status"] ?? 0, headers: received, body: "" };
    });
    const done = () => (answer ? resolve(answer) : reject(new Error("no answer")));
    stream.on("data", (chunk) => {
      if (answer) answer.body += chunk;
      if (until !== undefined && answer?.body.includes(until)) {
        stream.close();
        done();
      }
    });
    stream.on("end", done);
    stream.on("error", reject);
    stream.end(body);
  });
}

const FRAME_TYPES = { HEADERS: 1, RST_STREAM: 3, SETTINGS: 4 };
const END_STREAM = 1;
const END_HEADERS = 4;

function frame(
  type: keyof typeof FRAME_TYPES,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(FRAME_TYPES[type], 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const json = { "content-type": "application/json" };
const query = `encoding=json&message=${encodeURIComponent(JSON.stringify({ eventId: EVENT_ID }))}`;

describe("HTTP/2 on the same port", () => {
  test("calls, reads, pages and streams", async () => {
    await using gateway = await startGateway(impls);
    const session = connect(gateway.url);
    const posted = await ask(session, `/${AVAILABILITY}`, {
      headers: json,
      body: JSON.stringify({ eventId: EVENT_ID }),
    });
    expect([posted.status, JSON.parse(posted.body).eventId]).toEqual([200, EVENT_ID]);
    const read = await ask(session, `/${AVAILABILITY}?${query}`);
    expect([read.status, read.headers["cache-control"], read.headers.etag !== undefined]).toEqual([
      200,
      "public, max-age=1",
      true,
    ]);
    const again = await ask(session, `/${AVAILABILITY}?${query}`, {
      headers: { "if-none-match": read.headers.etag ?? "" },
    });
    expect([again.status, again.body]).toEqual([304, ""]);
    expect((await ask(session, "/")).headers["content-type"]).toContain("text/html");
    const watched = await ask(session, `/${WATCH}`, {
      headers: { "content-type": "application/connect+json" },
      body: envelope(0, JSON.stringify({ eventId: EVENT_ID })),
      until: '"available":3',
    });
    expect(watched.status).toBe(200);
    session.destroy();
    expect((await gateway.post(AVAILABILITY, { eventId: EVENT_ID })).status).toBe(200);
  });

  test.each([
    ["Connect", createConnectTransport],
    ["gRPC-Web", createGrpcWebTransport],
  ])("%s", async (_, createTransport) => {
    await using gateway = await startGateway(impls);
    const client = createClient(
      ReservationService,
      createTransport({ baseUrl: gateway.url, httpVersion: "2" }),
    );
    expect((await client.getAvailability({ eventId: EVENT_ID })).eventId).toBe(EVENT_ID);
    const stop = new AbortController();
    for await (const { ticketTypes } of client.watchAvailability(
      { eventId: EVENT_ID },
      { signal: stop.signal },
    )) {
      expect(ticketTypes[0]?.available).toBe(3);
      break;
    }
    stop.abort();
  });

  test("an authority that is none gets 400, and too much gets 400", async () => {
    await using gateway = await startGateway(impls);
    const session = connect(gateway.url);
    expect((await ask(session, "/livez", { headers: { ":authority": "[" } })).status).toBe(400);
    const tooMuch = await ask(session, `/${AVAILABILITY}`, { headers: json, body: "x".repeat(70_000) });
    expect(tooMuch.status).toBe(400);
    expect((await ask(session, "/livez")).status).toBe(200);
    session.destroy();
  });

  test("who opens streams only to reset them is cut off, and others are served", async () => {
    let called = 0;
    await using gateway = await startGateway({
      reservation: {
        getAvailability: ({ eventId }) => {
          called++;
          return { eventId };
        },
      },
    });
    const session = connect(gateway.url);
    const ended = new Promise<void>((resolve) => session.once("close", resolve));
    session.on("error", () => undefined);
    let opened = 0;
    for (; opened < 20_000 && !session.destroyed && !session.closed; opened++) {
      const stream = session.request({ ":path": `/${AVAILABILITY}`, ":method": "POST", ...json });
      stream.on("error", () => undefined);
      stream.close(constants.NGHTTP2_CANCEL);
      if (opened % 100 === 0) await new Promise(setImmediate);
    }
    expect((await gateway.post(AVAILABILITY, { eventId: EVENT_ID })).status).toBe(200);
    session.destroy();
    await ended;
    expect(opened).toBeLessThan(20_000);
    expect(called).toBe(1);
  });

  test("what is reset right behind its beginning is never looked at", async () => {
    await using gateway = await startGateway(impls, { accessLog: "all" });
    const socket = tcpConnect(gateway.port, "127.0.0.1");
    socket.write(Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame("SETTINGS", 0, 0)]));
    await once(socket, "data");
    const ids = Array.from({ length: 50 }, (_, index) => 2 * index + 1);
    const path = Buffer.from("/livez");
    // By the static table of RFC 7541: GET, http, a path and an authority that are not put into the dynamic one.
    const request = Buffer.from([0x82, 0x86, 0x04, path.length, ...path, 0x01, 1, ...Buffer.from("a")]);
    const asked = (id: number) => frame("HEADERS", END_STREAM | END_HEADERS, id, request);
    const takenBack = (id: number) => frame("RST_STREAM", 0, id, Buffer.from([0, 0, 0, 8]));
    socket.write(Buffer.concat([...ids.flatMap((id) => [asked(id), takenBack(id)]), asked(101)]));
    const answered = () => gateway.accessed.filter(({ status }) => status !== undefined);
    await expect.poll(() => answered().length).toBeGreaterThan(0);
    socket.destroy();
    expect(answered()).toHaveLength(1);
  });

  test("ends with the gateway", async () => {
    const arrived = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    await using gateway = await startGateway({
      reservation: {
        getAvailability: async ({ eventId }) => {
          arrived.resolve();
          await released.promise;
          return { eventId };
        },
      },
    });
    const session = connect(gateway.url);
    const pending = ask(session, `/${AVAILABILITY}`, {
      headers: json,
      body: JSON.stringify({ eventId: EVENT_ID }),
    });
    await arrived.promise;
    const closed = gateway.gateway.close(20_000);
    released.resolve();
    expect((await pending).status).toBe(200);
    await closed;
    expect(session.closed).toBe(true);
  });
});

describe("a connection's first bytes", () => {
  const firstAnswer = (port: number, parts: string[]) =>
    new Promise<string>((resolve) => {
      const socket = tcpConnect(port, "127.0.0.1", async () => {
        for (const part of parts) {
          socket.write(part);
          await new Promise((next) => setTimeout(next, 20));
        }
      });
      socket.on("data", (chunk) => {
        resolve(chunk.toString("latin1"));
        socket.destroy();
      });
      socket.on("close", () => resolve(""));
    });

  test("may come one at a time", async () => {
    await using gateway = await startGateway(impls);
    const letters = [..."POST", ` /${AVAILABILITY} HTTP/1.1\r\nHost: a\r\n`];
    const rest = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    expect(await firstAnswer(gateway.port, [...letters, rest])).toMatch(/^HTTP\/1.1 400 /);
    const settings = await firstAnswer(gateway.port, [
      ..."PRI",
      " * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "\0\0\0\x04\0\0\0\0\0",
    ]);
    expect(settings.charCodeAt(3)).toBe(4); // the type of the first frame
  });

  test("may be nonsense", async () => {
    await using gateway = await startGateway(impls);
    expect(await firstAnswer(gateway.port, ["PRX * nonsense\r\n\r\n"])).toMatch(/^HTTP\/1.1 400 /);
    expect(await firstAnswer(gateway.port, ["\x16\x03\x01\0\0"])).toMatch(/^(HTTP\/1.1 400 |$)/);
    expect((await gateway.post(AVAILABILITY, { eventId: EVENT_ID })).status).toBe(200);
  });
});

describe("TLS", () => {
  test("with a certificate, both versions by what the client asks for", async () => {
    const folder = mkdtempSync(join(tmpdir(), "boxoffice-certificate-"));
    const authority = await Authority.make(folder, "authority");
    const { cert, key } = await authority.issue("gateway");
    const ca = readFileSync(authority.file);
    const certificate = openCertificate(cert, key, createLogger("test", "silent"));
    await using gateway = await startGateway(impls, certificate === undefined ? {} : { certificate });
    const session = connect(`https://localhost:${gateway.port}`, { ca });
    const { headers } = await ask(session, "/livez");
    expect([headers[":status"], headers["strict-transport-security"]]).toEqual([200, "max-age=31536000"]);
    session.destroy();
    expect(await overTls(gateway, ca, "http/1.1")).toMatch(/^HTTP\/1.1 200 /);
    expect(await overTls(gateway, ca, undefined)).toMatch(/^HTTP\/1.1 200 /);
    rmSync(folder, { recursive: true });
    expect(() => openCertificate(cert, key, createLogger("test", "silent"))).toThrow("GATEWAY_TLS_CERT_FILE");
    expect(() => openCertificate(cert, undefined, createLogger("test", "silent"))).toThrow("set together");
  });

  function overTls({ port }: TestGateway, ca: Buffer, protocol: string | undefined): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { port, host: "localhost", servername: "localhost", ca };
      const socket = tlsConnect({ ...options, ...(protocol && { ALPNProtocols: [protocol] }) }, () =>
        socket.write("GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
      );
      socket.on("data", (chunk) => resolve(chunk.toString()));
      socket.on("error", reject);
    });
  }
});
