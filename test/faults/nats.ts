import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { prepareNats } from "../../local/nats.ts";
import { findNatsServer } from "../../local/nats-server.ts";
import { freePort } from "../../local/ports.ts";
import type { FaultBoxOffice } from "./box-office.ts";

const ANSWER_WITHIN_MS = 10_000;

/** A nats-server that is killed, comes back without its disk, and loses its stream. */
export type FaultNats = {
  url: string;
  /** Ends it as by `kill -9`, and resolves when it is gone. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** What it has written is gone; it must not run. */
  wipe(): void;
  deleteStream(name: string): Promise<void>;
};

/** Starts a nats-server for the box office alone. */
export async function startNats(office: FaultBoxOffice): Promise<FaultNats> {
  const folder = join(office.folder, "nats");
  const server = await findNatsServer(process.env, () => {});
  const { spec, url } = prepareNats({ server, folder, port: await freePort(), durable: false });
  const nats = office.add(spec);
  await nats.start();
  return {
    url,
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
