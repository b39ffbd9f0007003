/**
 * Watches an event with many connections, as browsers do, and changes what is left of it now and then: how long does
 * it take until each of them has seen the change? Reads a {@link ViewersSpec} as one line of JSON on standard input,
 * prints {@link STARTED} when all of them watch, and at its end a {@link ViewersResult} as its last line.
 */
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { STARTED } from "./spec.ts";

export type ViewersSpec = {
  host: string;
  port: number;
  viewers: number;
  eventId: string;
  /** The ticket type that is reserved to be seen; nobody else reserves it. */
  ticketTypeId: string;
  /** For how long, and how long before it counts. */
  seconds: number;
  countFrom: number;
};

export type ViewersResult = {
  changes: number;
  /** Of every viewer and every change: from the answer to the reservation until the viewer's connection had it. */
  seenMs: { p50: number; p95: number; p99: number; max: number };
  /** Viewers who had not seen a change after {@link GIVE_UP_MS}. */
  unseen: number;
  lost: number;
};

const SERVICE = "/boxoffice.reservation.v1.ReservationService/";
const CHANGE_EVERY_MS = 500;
const GIVE_UP_MS = 5_000;
/** Connections that are opened at a time. */
const OPEN_AT_ONCE = 100;

class Viewer {
  /** How many are left of the type, as this viewer was told last. */
  left = Number.POSITIVE_INFINITY;
  #rest = "";

  /** @param marker stands before the number in what the gateway sends */
  read(chunk: Buffer, marker: string): void {
    const received = this.#rest + chunk.toString("latin1");
    const at = received.lastIndexOf(marker);
    const number = at < 0 ? null : /^.{0,400}?"available":(\d+)/s.exec(received.slice(at));
    if (number !== null) this.left = Number(number[1]);
    this.#rest = received.slice(-600);
  }
}

async function main(spec: ViewersSpec): Promise<void> {
  const viewers: Viewer[] = [];
  const sockets: Socket[] = [];
  let lost = 0;
  let isOver = false;
  let onSeen: (viewer: Viewer) => void = () => undefined;
  const marker = `"ticketTypeId":"${spec.ticketTypeId}"`;
  const open = () =>
    new Promise<void>((resolve, reject) => {
      const viewer = new Viewer();
      const socket = connect(spec.port, spec.host, () => socket.write(watchRequest(spec)));
      socket.once("data", () => {
        viewers.push(viewer);
        sockets.push(socket);
        resolve();
      });
      socket.on("data", (chunk) => {
        const before = viewer.left;
        viewer.read(chunk, marker);
        if (viewer.left < before) onSeen(viewer);
      });
      socket.on("error", reject);
      socket.on("close", () => {
        if (!isOver) lost++;
      });
    });
  for (let opened = 0; opened < spec.viewers; opened += OPEN_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(OPEN_AT_ONCE, spec.viewers - opened) }, open));
  }
  console.log(STARTED);

  const startMs = performance.now();
  const seenMs: number[] = [];
  let [changes, unseen] = [0, 0];
  while (performance.now() - startMs < spec.seconds * 1_000) {
    const unaware = new Set(viewers);
    const seenAt: number[] = [];
    let wanted = Number.NEGATIVE_INFINITY; // nobody is counted before it is known what there is to see
    const all = Promise.withResolvers<void>();
    onSeen = (viewer) => {
      if (viewer.left > wanted || !unaware.delete(viewer)) return;
      seenAt.push(performance.now());
      if (unaware.size === 0) all.resolve();
    };
    const before = Math.min(...viewers.map(({ left }) => left));
    await reserve(spec);
    const reservedMs = performance.now();
    wanted = before - 1;
    for (const viewer of viewers) onSeen(viewer);
    await Promise.race([all.promise, delay(GIVE_UP_MS)]);
    if (reservedMs - startMs >= spec.countFrom * 1_000) {
      changes++;
      unseen += unaware.size;
      seenMs.push(...seenAt.map((ms) => ms - reservedMs), ...[...unaware].map(() => GIVE_UP_MS));
    }
    await delay(Math.max(0, reservedMs + CHANGE_EVERY_MS - performance.now()));
  }
  isOver = true;
  for (const socket of sockets) socket.destroy();
  seenMs.sort((a, b) => a - b);
  const at = (part: number) => seenMs[Math.min(seenMs.length - 1, Math.floor(part * seenMs.length))] ?? 0;
  const result: ViewersResult = {
    changes,
    seenMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) },
    unseen,
    lost,
  };
  console.log(JSON.stringify(result));
}

function watchRequest({ eventId, host }: ViewersSpec): Buffer {
  const message = Buffer.from(JSON.stringify({ eventId }));
  const envelope = Buffer.alloc(5);
  envelope.writeUInt32BE(message.length, 1);
  const body = Buffer.concat([envelope, message]);
  const head = [
    `POST ${SERVICE}WatchAvailability HTTP/1.1`,
    `Host: ${host}`,
    "Content-Type: application/connect+json",
    `Content-Length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]);
}

async function reserve({ host, port, eventId, ticketTypeId }: ViewersSpec): Promise<void> {
  const response = await fetch(`http://${host}:${port}${SERVICE}Reserve`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ eventId, items: [{ ticketTypeId, quantity: 1 }] }),
  });
  if (!response.ok) throw new Error(`cannot reserve: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

if (import.meta.main) {
  await main(JSON.parse(await text(process.stdin)));
}
