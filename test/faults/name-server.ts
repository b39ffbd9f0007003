import { createSocket, type Socket } from "node:dgram";

/** DNS (RFC 1035): a question's type, and what an answer's begins with. */
const [TYPE_A, CLASS_IN] = [1, 1];
const HEADER_BYTES = 12;
const IS_ANSWER = 0x8400;
const NAME_OF_THE_QUESTION = 0xc000 + HEADER_BYTES;
const [NO_ERROR, NO_SUCH_NAME] = [0, 3];
const TTL_SECONDS = 1;

/** Tells addresses by name, as the name server of a container network does. */
export class NameServer {
  readonly #addresses: ReadonlyMap<string, readonly string[]>;
  #socket: Socket | undefined;

  constructor(addresses: ReadonlyMap<string, readonly string[]>) {
    this.#addresses = addresses;
  }

  /** @returns where it is asked, `host:port` */
  async start(): Promise<string> {
    const socket = createSocket("udp4");
    this.#socket = socket;
    socket.on("message", (question, from) => {
      const answer = this.#answer(question);
      if (answer !== undefined) socket.send(answer, from.port, from.address);
    });
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return `127.0.0.1:${socket.address().port}`;
  }

  stop(): void {
    this.#socket?.close();
  }

  #answer(message: Buffer): Buffer | undefined {
    const labels: string[] = [];
    let end = HEADER_BYTES;
    for (;;) {
      const length = message[end];
      if (length === undefined || length > 63) return undefined;
      end += 1 + length;
      if (length === 0) break;
      labels.push(message.toString("latin1", end - length, end));
    }
    if (message.length < end + 4) return undefined;
    const question = message.subarray(HEADER_BYTES, end + 4);
    const known = this.#addresses.get(labels.join(".").toLowerCase());
    const found = message.readUInt16BE(end) === TYPE_A ? (known ?? []) : [];
    const header = Buffer.from(message.subarray(0, HEADER_BYTES));
    header.writeUInt16BE(IS_ANSWER | (known ? NO_ERROR : NO_SUCH_NAME), 2);
    for (const [index, count] of [1, found.length, 0, 0].entries())
      header.writeUInt16BE(count, 4 + 2 * index);
    return Buffer.concat([header, question, ...found.map(record)]);
  }
}

function record(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16BE(NAME_OF_THE_QUESTION, 0);
  bytes.writeUInt16BE(TYPE_A, 2);
  bytes.writeUInt16BE(CLASS_IN, 4);
  bytes.writeUInt32BE(TTL_SECONDS, 6);
  bytes.writeUInt16BE(4, 10);
  bytes.set(address.split(".").map(Number), 12);
  return bytes;
}
