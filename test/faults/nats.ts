import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { prepareNats } from "../../local/nats.ts";
import { findNatsServer } from "../../local/nats-server.ts";
import { freePort } from "../../local/ports.ts";
import type { AddProcess } from "./box-office.ts";
import type { FaultProcess } from "./fault-process.ts";
import type { Network } from "./network.ts";

const ANSWER_WITHIN_MS = 10_000;

/** A nats-server that is killed, comes back without its disk, and loses its stream. */
export type FaultNats = {
  url: string;
  process: FaultProcess;
  /** Ends it as by `kill -9`, and resolves when it is gone. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** What it has written is gone; it must not run. */
  wipe(): void;
  deleteStream(name: string): Promise<void>;
};

/** Where it runs, and what it takes to run it: a box office is both. */
type Place = {
  folder: string;
  add: AddProcess;
  /** It has an address of its own there, as "nats"; 127.0.0.1 unless given. */
  network?: Network;
};

/** Starts a nats-server for one box office alone. */
export async function startNats(place: Place): Promise<FaultNats> {
  const folder = join(place.folder, "nats");
  const server = await findNatsServer(process.env, () => {});
  const port = await freePort();
  const { spec } = prepareNats({ server, folder, port, durable: false });
  const address = (await place.network?.join("nats", "nats")) ?? "127.0.0.1";
  const placed = { ...spec, args: [...spec.args, "--addr", address, "--port", String(port)] };
  const nats = place.add(place.network?.place("nats", placed) ?? placed);
  const url = `nats://${address}:${port}`;
  await nats.start();
  return {
    url,
    process: nats,
    kill: () => nats.kill(),
    start: () => nats.start(),
    wipe: () => rmSync(join(folder, "jetstream"), { recursive: true }),
    deleteStream: (name) => ask(url, `$JS.API.STREAM.DELETE.${name}`),
  };
}

/** Asks JetStream in the plain protocol: the client library belongs to one file. */
async function ask(url: string, subject: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, "connect");
    const answered = new Promise<void>((resolve, reject) => {
      setTimeout(() => reject(new Error("JetStream does not answer")), ANSWER_WITHIN_MS).unref();
      socket.on("error", reject).on("data", (data) => {
        if (data.includes('"success":true')) resolve();
        else if (data.includes('"error"')) reject(new Error(data.toString()));
      });
    });
    socket.write(`CONNECT {"verbose":false}\r\nSUB answer 1\r\nPUB ${subject} answer 0\r\n\r\n`);
    await answered;
  } finally {
    socket.destroy();
  }
}
