import { connect, type Socket } from "node:net";
import type { Template } from "./template.ts";

/** A step that is ready to be sent. */
export type PreparedStep = {
  /** What comes before the body on the wire. */
  head: Buffer;
  template: Template;
};

/**
 * How a request ended.
 *
 * @param refusal what the answer said where it said no; undefined where it was a yes
 * @param body of the answer, as long as the callback runs; only HTTP/1.1 hands it on
 */
export type OnAnswer = (refusal: string | undefined, body?: Buffer) => void;

/** One connection of the generator. Requests are gathered until `flush`, and leave together. */
export interface Connection {
  open(): Promise<void>;
  send(step: PreparedStep, reservationId: string | undefined, onAnswer: OnAnswer): void;
  flush(): void;
  close(): void;
}

/** What a request that a broken connection took with it is counted as. */
export const LOST = "connection lost";

/** A TCP connection with a buffer that is filled and sent as a whole. */
export class Wire {
  #socket: Socket | undefined;
  #out = Buffer.allocUnsafe(64 * 1024);
  #used = 0;

  open(host: string, port: number, onData: (chunk: Buffer) => void, onEnd: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      socket.once("connect", () => {
        socket.on("data", onData).once("close", onEnd);
        resolve();
      });
      socket.on("error", reject); // after the connect nobody listens any more, and "close" follows
      this.#socket = socket;
      this.#used = 0;
    });
  }

  /** Makes room for `length` more bytes. @returns where they go */
  reserve(length: number): { buffer: Buffer; at: number } {
    if (this.#used + length > this.#out.length) this.flush();
    if (length > this.#out.length) this.#out = Buffer.allocUnsafe(2 * length);
    const at = this.#used;
    this.#used += length;
    return { buffer: this.#out, at };
  }

  flush(): void {
    if (this.#used === 0) return;
    this.#socket?.write(Buffer.from(this.#out.subarray(0, this.#used)));
    this.#used = 0;
  }

  close(): void {
    this.#socket?.destroy();
  }
}
