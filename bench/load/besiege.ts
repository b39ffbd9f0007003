/**
 * Besieges a gateway with what is malformed, endless, slow or reset, so that it can be measured how the others fare.
 * Reads a {@link SiegeSpec} as one line of JSON on standard input, and prints {@link STARTED} when the siege stands.
 * Fails where it was none: nobody was let in, nothing bad was sent, or no session of HTTP/2 was ended for its resets.
 */
import { setMaxListeners } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { STARTED } from "./spec.ts";

export type SiegeSpec = {
  host: string;
  port: number;
  /** A read that is answered with much, by its path. */
  readPath: string;
  /** How many send slowly, and how many never read; those that are cut off come back. */
  slowSenders: number;
  slowReaders: number;
  /** Bad requests a second at most, of every kind in turn. */
  badPerSecond: number;
  /** For how long, from when it stands. */
  seconds: number;
};

const RESERVE = "/boxoffice.reservation.v1.ReservationService/Reserve";
const MEGABYTE = 1024 * 1024;
const POST = `POST ${RESERVE} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`;

/** Requests that a slow reader sends at once, and never reads the answers to. */
const UNREAD = 20;
const CONNECT_AT_ONCE = 100;
/** 5,000 a second, until the gateway ends the session. */
const RESETS_AT_ONCE = 100;
const RESET_EVERY_MS = 20;
const COME_BACK_MS = 500;

const BAD: readonly (string | Buffer)[] = [
  "GET / HTTP/1.1\r\nHost: [\r\n\r\n",
  `GET / HTTP/1.1\r\nHost: a\r\n${"X: 1234567890\r\n".repeat(4_500)}\r\n`,
  posted(gzipSync(Buffer.alloc(10 * MEGABYTE)), "Content-Encoding: gzip\r\n"),
  posted(Buffer.from('{"items":'.repeat(7_000))),
  posted(Buffer.alloc(64 * 1024 + 1, 0x20)),
  posted(Buffer.from('{"eventId":"nonsense"}')),
  `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
  `${POST}Content-Length: 99999999999999\r\n\r\n`,
];

function posted(body: Buffer, more = ""): Buffer {
  return Buffer.concat([Buffer.from(`${POST}${more}Content-Length: ${body.length}\r\n\r\n`), body]);
}

async function main(spec: SiegeSpec): Promise<void> {
  const { host, port, readPath, seconds } = spec;
  const end = new AbortController();
  const over = end.signal;
  setMaxListeners(0, over);
  const done = { connected: 0, bad: 0, cutOffForResets: 0 };
  const open = (bytes: string | Buffer, isRead: boolean) =>
    new Promise<Socket>((resolve) => {
      const socket = connect(port, host, () => {
        done.connected++;
        socket.write(bytes);
        resolve(socket);
      });
      if (isRead) socket.resume();
      socket.on("error", () => resolve(socket));
    });
  const stay = async (bytes: string, isRead: boolean) => {
    const socket = await open(bytes, isRead);
    socket.once("close", async () => {
      over.removeEventListener("abort", leave);
      await delay(COME_BACK_MS);
      if (!over.aborted) await stay(bytes, isRead);
    });
    const leave = () => socket.destroy();
    over.addEventListener("abort", leave);
  };
  const slow = ["POST / HTTP/1.1\r\nHost: a\r\nX: ", `${POST}Content-Length: 100\r\n\r\n{`];
  const unread = `GET ${readPath} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(UNREAD);
  for (let each = 0; each < spec.slowSenders; each += CONNECT_AT_ONCE) {
    await Promise.all(
      Array.from({ length: CONNECT_AT_ONCE }, (_, index) => stay(slow[index % slow.length] ?? "", true)),
    );
  }
  for (let each = 0; each < spec.slowReaders; each += CONNECT_AT_ONCE) {
    await Promise.all(Array.from({ length: CONNECT_AT_ONCE }, () => stay(unread, false)));
  }
  if (done.connected < spec.slowSenders + spec.slowReaders) {
    throw new Error(`the gateway let only ${done.connected} in`);
  }
  console.log(STARTED);
  setTimeout(() => end.abort(), seconds * 1_000);

  const sendBad = async () => {
    for (; !over.aborted; await delay(1_000 / spec.badPerSecond)) {
      const socket = await open(BAD[done.bad % BAD.length] ?? "", true);
      socket.setTimeout(COME_BACK_MS, () => socket.destroy());
      done.bad++;
    }
  };
  const resetAgainAndAgain = async () => {
    for (; !over.aborted; await delay(COME_BACK_MS)) {
      if (await isCutOffForResets(`http://${host}:${port}`, over)) done.cutOffForResets++;
    }
  };
  await Promise.all([sendBad(), resetAgainAndAgain()]);
  console.log(JSON.stringify(done));
  if (done.bad === 0 || done.cutOffForResets === 0) throw new Error("this was no siege");
}

/**
 * HTTP/2's rapid reset: opens streams and takes each back at once.
 *
 * @returns whether the gateway ended the session before all was over
 */
async function isCutOffForResets(url: string, over: AbortSignal): Promise<boolean> {
  const session = connectHttp2(url);
  session.on("error", () => undefined);
  while (!over.aborted && !session.destroyed && !session.closed) {
    for (let opened = 0; opened < RESETS_AT_ONCE && !session.destroyed && !session.closed; opened++) {
      const stream = session.request({ ":path": RESERVE, ":method": "POST" });
      stream.on("error", () => undefined);
      stream.close(constants.NGHTTP2_CANCEL);
    }
    await delay(RESET_EVERY_MS);
  }
  const isCutOff = session.destroyed || session.closed;
  session.destroy();
  return isCutOff;
}

if (import.meta.main) {
  await main(JSON.parse(await text(process.stdin)));
  process.exit(0);
}
