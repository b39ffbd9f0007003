import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect as connectHttp2, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../test/faults/until.ts";
import { envelope } from "../envelope.ts";
import { AVAILABILITY, EVENT_ID, RESERVE, startGateway, type TestGateway } from "./harness.ts";

const MEGABYTE = 1024 * 1024;
const CUT_OFF_WITHIN_MS = 40_000;
const WATCH = "boxoffice.reservation.v1.ReservationService/WatchAvailability";
const QUERY = `encoding=json&message=${encodeURIComponent(JSON.stringify({ eventId: EVENT_ID }))}`;
const JSON_POST = `POST /${RESERVE} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`;

/** The services, played by the test; the gateway is a process of its own, which must survive everything. */
let services: TestGateway;
let gateway: ChildProcess;
let port: number;
const open: Socket[] = [];

beforeAll(async () => {
  services = await startGateway({
    reservation: {
      getAvailability: ({ eventId }) => ({ eventId, ticketTypes: [{ name: "x".repeat(2_000) }] }),
      async *watchAvailability({ eventId }, { signal }) {
        yield { eventId, ticketTypes: [{ name: "x".repeat(2_000) }] };
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    },
  });
  const { folder, address } = services;
  gateway = spawn(process.execPath, [join(import.meta.dirname, "..", "main.ts")], {
    env: {
      ...process.env,
      ...Object.fromEntries(
        ["CATALOG", "RESERVATION", "PAYMENT", "STATS"].map((name) => [`${name}_ADDRESS`, address]),
      ),
      ...{ GATEWAY_PORT: "0", GATEWAY_ADMIN_PORT: "0", LOG_LEVEL: "info", NATS_URL: "" },
      ...{ RATE_LIMIT_RPS: "0", STREAMS_PER_CLIENT: "0", CONNECTIONS_PER_CLIENT: "0" },
      PRIVATE_KEY_FILE: join(folder, "gateway.key"),
      JWKS_FILE: join(folder, "jwks.json"),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  port = await new Promise<number>((resolve, reject) => {
    gateway.once("exit", (code) => reject(new Error(`the gateway ended with ${code}`)));
    createInterface({ input: gateway.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const said = JSON.parse(line);
      if (said.msg === "serving") resolve(said.port);
    });
  });
  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  await until("the gateway is ready", 10_000, isReady);
  for (let request = 0; request < 50; request++) await expectServed();
});

afterAll(async () => {
  for (const socket of open) socket.destroy();
  if (gateway.exitCode === null) {
    const ended = new Promise((resolve) => gateway.once("exit", resolve));
    gateway.kill("SIGKILL");
    await ended;
  }
  await services[Symbol.asyncDispose]();
});

async function expectServed(): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/${AVAILABILITY}?${QUERY}`);
  expect(response.status).toBe(200);
  await response.arrayBuffer();
}

/** What the process keeps in memory, in megabytes. */
function residentMegabytes(): number {
  const status = readFileSync(`/proc/${gateway.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

/** A connection that sends and, unless told, never reads. */
function attack(text: string | Buffer, onData?: (text: string) => void): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(text);
      resolve(socket);
    });
    socket.on("error", () => undefined);
    if (onData !== undefined) socket.on("data", (chunk) => onData(chunk.toString("latin1")));
    open.push(socket);
  });
}

/** The status that a connection is answered with; 0 where it is closed without a word. */
async function statusOf(text: string | Buffer): Promise<number> {
  const answer = Promise.withResolvers<number>();
  const socket = await attack(text, (said) => answer.resolve(Number(/^HTTP\/1.1 (\d+)/.exec(said)?.[1])));
  socket.on("close", () => answer.resolve(0));
  const status = await answer.promise;
  socket.destroy();
  return status;
}

const posted = (body: Buffer, more = "") =>
  Buffer.concat([Buffer.from(`${JSON_POST}${more}Content-Length: ${body.length}\r\n\r\n`), body]);

test.each<[string, () => string | Buffer]>([
  ["a host that is none", () => "GET / HTTP/1.1\r\nHost: [\r\n\r\n"],
  ["no host", () => "GET / HTTP/1.0\r\n\r\n"],
  ["64 KiB of headers", () => `GET / HTTP/1.1\r\nHost: a\r\n${"X: 1234567890\r\n".repeat(4_500)}\r\n`],
  ["a header of 1 MiB", () => `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(MEGABYTE)}\r\n\r\n`],
  ["an address of 1 MiB", () => `GET /${"x".repeat(MEGABYTE)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["a bomb", () => posted(gzipSync(Buffer.alloc(60 * MEGABYTE)), "Content-Encoding: gzip\r\n")],
  ["deep nesting", () => posted(Buffer.from('{"items":'.repeat(7_000)))],
  ["100,000 brackets", () => posted(Buffer.from("[".repeat(100_000)))],
  ["no protobuf", () => posted(Buffer.alloc(60_000, 0xff), "X: y\r\n")],
  ["a time of 10^10", () => posted(Buffer.from("{}"), "Connect-Timeout-Ms: 10000000000\r\n")],
  ["a time below zero", () => posted(Buffer.from("{}"), "Connect-Timeout-Ms: -1\r\n")],
  ["a length that is too large", () => `${JSON_POST}Content-Length: 99999999999999\r\n\r\n`],
  ["a length that is none", () => `${JSON_POST}Content-Length: 1e3\r\n\r\n`],
  ["chunks that are none", () => `${JSON_POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
  [
    "two ways to tell the length",
    () => `${JSON_POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
])("%s is refused, and the process lives", async (_, text) => {
  const status = await statusOf(text());
  expect(status === 0 || (status >= 400 && status < 500)).toBe(true);
  await expectServed();
});

test("a body without end is cut off, and none of it is kept", async () => {
  const before = residentMegabytes();
  let status = 0;
  const socket = await attack(`${JSON_POST}Transfer-Encoding: chunked\r\n\r\n`, (said) => {
    status ||= Number(/^HTTP\/1.1 (\d+)/.exec(said)?.[1]);
  });
  const chunk = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(MEGABYTE), Buffer.from("\r\n")]);
  let sent = 0;
  for (; sent < 1_024 && !socket.destroyed; sent++) {
    if (!socket.write(chunk)) await Promise.race([once(socket, "drain"), once(socket, "close")]);
  }
  // A connection that is reset while something is sent may lose the answer that went before.
  expect([0, 400]).toContain(status);
  expect(sent).toBeLessThan(1_024);
  expect(residentMegabytes() - before).toBeLessThan(100);
  await expectServed();
});

test("thousands who send slowly, or never read, are cut off or waited for, and others are served", async () => {
  const before = residentMegabytes();
  const slow: Socket[] = [];
  for (let each = 0; each < 400; each++) {
    slow.push(await attack(""), await attack("POST / HTTP/1.1\r\nHost: a\r\nX: "));
    slow.push(await attack(`${JSON_POST}Content-Length: 100\r\n\r\n{`));
    if (each % 100 === 0) await expectServed();
  }
  const message = envelope(0, JSON.stringify({ eventId: EVENT_ID }));
  const head = `POST /${WATCH} HTTP/1.1\r\nHost: a\r\nContent-Type: application/connect+json\r\n`;
  for (let each = 0; each < 300; each++) {
    await attack(Buffer.concat([Buffer.from(`${head}Content-Length: ${message.length}\r\n\r\n`), message]));
    await attack(`GET /${AVAILABILITY}?${QUERY} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(500));
    if (each % 100 === 0) await expectServed();
  }
  await expectServed();
  expect(residentMegabytes() - before).toBeLessThan(300);
  const waiting = () => slow.filter(({ closed, readableEnded }) => !closed && !readableEnded).length;
  for (const socket of slow) socket.resume();
  await expect.poll(waiting, { timeout: 40_000 }).toBe(0);
  await expectServed();
});

test("sessions of HTTP/2 that reset what they open are cut off", async () => {
  const before = residentMegabytes();
  const sessions = Array.from({ length: 5 }, () => connectHttp2(`http://127.0.0.1:${port}`));
  await Promise.all(sessions.map(resetAgainAndAgain));
  expect(sessions.every(({ destroyed, closed }) => destroyed || closed)).toBe(true);
  expect(residentMegabytes() - before).toBeLessThan(100);
  await expectServed();
});

async function resetAgainAndAgain(session: ClientHttp2Session): Promise<void> {
  session.on("error", () => undefined);
  // What is taken back before it was sent is nothing to the gateway: on a busy machine that is nearly all.
  const untilMs = performance.now() + CUT_OFF_WITHIN_MS;
  for (let opened = 0; performance.now() < untilMs && !session.destroyed && !session.closed; opened++) {
    const stream = session.request({ ":path": `/${AVAILABILITY}`, ":method": "POST" });
    stream.on("error", () => undefined);
    stream.close(constants.NGHTTP2_CANCEL);
    if (opened % 100 === 0) await new Promise(setImmediate);
  }
  if (!session.closed && !session.destroyed) {
    session.destroy();
    throw new Error("the session was not cut off");
  }
}

test("after all that it is the same process, and it ends when it is told to", async () => {
  expect(gateway.exitCode).toBe(null);
  for (const socket of open) socket.destroy();
  const ended = new Promise((resolve) => gateway.once("exit", resolve));
  gateway.kill("SIGTERM");
  expect(await ended).toBe(0);
});

function once(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve) => socket.once(event, () => resolve()));
}
