import { type Connection, LOST, type OnAnswer, type PreparedStep, Wire } from "./connection.ts";
import type { Step } from "./spec.ts";
import { Template } from "./template.ts";

const FRAME = { DATA: 0, HEADERS: 1, RST_STREAM: 3, SETTINGS: 4, PING: 6, GOAWAY: 7, WINDOW_UPDATE: 8 };
const FLAG = { END_STREAM: 1, ACK: 1, END_HEADERS: 4 };
const FRAME_HEAD = 9;
const MESSAGE_HEAD = 5;

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const MAX_WINDOW = 2 ** 31 - 1;
const INITIAL_WINDOW = 65_535;

/** When this much was received on a connection its window is opened again. */
const REFILL_AT = 2 ** 29;

/**
 * gRPC over a bare socket: it writes HTTP/2 frames from prepared bytes and reads no more of the answers than
 * whether there is a message in them. node:http2 would cost several times as much, and the generator shares the
 * processors with what it measures.
 */
export class GrpcConnection implements Connection {
  readonly #wire = new Wire();
  readonly #host: string;
  readonly #port: number;
  readonly #onLost: () => void;
  readonly #open = new Map<number, { onAnswer: OnAnswer; hasMessage: boolean }>();
  #nextStream = 1;
  /** How many bytes of bodies the server takes at present. */
  #window = INITIAL_WINDOW;
  #held: (() => void)[] = [];
  #received = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(host: string, port: number, onLost: () => void) {
    this.#host = host;
    this.#port = port;
    this.#onLost = onLost;
  }

  /** The first step's head teaches the server the headers; see {@link prepareGrpc}. */
  async open(): Promise<void> {
    this.#nextStream = 1;
    this.#window = INITIAL_WINDOW;
    this.#received = 0;
    this.#rest = Buffer.alloc(0);
    await this.#wire.open(
      this.#host,
      this.#port,
      (chunk) => this.#read(chunk),
      () => this.#end(),
    );
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(4, 0); // INITIAL_WINDOW_SIZE
    settings.writeUInt32BE(MAX_WINDOW, 2);
    const { buffer, at } = this.#wire.reserve(PREFACE.length);
    PREFACE.copy(buffer, at);
    this.#frame(FRAME.SETTINGS, 0, 0, settings);
    this.#openWindow(MAX_WINDOW - INITIAL_WINDOW);
    this.flush();
  }

  send(step: PreparedStep, reservationId: string | undefined, onAnswer: OnAnswer): void {
    const { head, template } = step;
    const length = MESSAGE_HEAD + template.length;
    if (length > this.#window) {
      this.#held.push(() => this.send(step, reservationId, onAnswer));
      return;
    }
    this.#window -= length;
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#open.set(stream, { onAnswer, hasMessage: false });
    const { buffer, at } = this.#wire.reserve(FRAME_HEAD + head.length + FRAME_HEAD + length);
    writeFrameHead(buffer, at, head.length, FRAME.HEADERS, FLAG.END_HEADERS, stream);
    head.copy(buffer, at + FRAME_HEAD);
    const data = at + FRAME_HEAD + head.length;
    writeFrameHead(buffer, data, length, FRAME.DATA, FLAG.END_STREAM, stream);
    buffer[data + FRAME_HEAD] = 0; // not compressed
    buffer.writeUInt32BE(template.length, data + FRAME_HEAD + 1);
    template.write(buffer, data + FRAME_HEAD + MESSAGE_HEAD, reservationId);
  }

  flush(): void {
    this.#wire.flush();
  }

  close(): void {
    this.#wire.close();
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEAD) {
      const length = bytes.readUIntBE(at, 3);
      const next = at + FRAME_HEAD + length;
      if (next > bytes.length) break;
      const stream = bytes.readUInt32BE(at + 5) & MAX_WINDOW;
      this.#take(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, stream, bytes, at + FRAME_HEAD, length);
      at = next;
    }
    this.#rest = bytes.subarray(at);
    this.flush();
  }

  #take(type: number, flags: number, stream: number, bytes: Buffer, at: number, length: number): void {
    if (type === FRAME.DATA) {
      const open = this.#open.get(stream);
      if (open !== undefined && length > MESSAGE_HEAD) open.hasMessage = true;
      this.#received += length;
      if (this.#received > REFILL_AT) {
        this.#openWindow(this.#received);
        this.#received = 0;
      }
    }
    if (type === FRAME.HEADERS || type === FRAME.DATA) {
      // The status is compressed. Only an answer that is a yes has a message.
      if ((flags & FLAG.END_STREAM) !== 0) this.#answer(stream, "refused");
    } else if (type === FRAME.RST_STREAM) this.#answer(stream, `reset ${bytes.readUInt32BE(at)}`);
    else if (type === FRAME.WINDOW_UPDATE && stream === 0) {
      this.#window += bytes.readUInt32BE(at);
      const held = this.#held;
      this.#held = [];
      for (const send of held) send();
    } else if (type === FRAME.SETTINGS && (flags & FLAG.ACK) === 0) {
      this.#frame(FRAME.SETTINGS, FLAG.ACK, 0, Buffer.alloc(0));
    } else if (type === FRAME.PING && (flags & FLAG.ACK) === 0) {
      this.#frame(FRAME.PING, FLAG.ACK, 0, bytes.subarray(at, at + length));
    } else if (type === FRAME.GOAWAY) this.#wire.close();
  }

  #answer(stream: number, refusal: string): void {
    const open = this.#open.get(stream);
    if (open === undefined) return;
    this.#open.delete(stream);
    open.onAnswer(open.hasMessage ? undefined : refusal);
  }

  #end(): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    this.#held = [];
    this.#onLost();
    for (const { onAnswer } of open) onAnswer(LOST);
  }

  #frame(type: number, flags: number, stream: number, payload: Buffer): void {
    const { buffer, at } = this.#wire.reserve(FRAME_HEAD + payload.length);
    writeFrameHead(buffer, at, payload.length, type, flags, stream);
    payload.copy(buffer, at + FRAME_HEAD);
  }

  #openWindow(bytes: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(bytes);
    this.#frame(FRAME.WINDOW_UPDATE, 0, 0, payload);
  }
}

/** Headers are sent as literals that nobody has to remember, so that every request's head is the same bytes. */
export function prepareGrpc(step: Step, host: string, port: number): PreparedStep {
  const head = Buffer.concat([
    Buffer.from([0x83, 0x86]), // :method POST, :scheme http
    Buffer.from([0x04]), // :path
    text(step.path),
    Buffer.from([0x01]), // :authority
    text(`${host}:${port}`),
    Buffer.from([0x00]),
    text("te"),
    text("trailers"),
    Buffer.from([0x0f, 0x10]), // content-type
    text("application/grpc"),
  ]);
  return { head, template: new Template(step) };
}

/** A length in one byte, then the text as it is. */
function text(value: string): Buffer {
  if (value.length > 126) throw new Error(`${value} is too long for a header`);
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, "latin1")]);
}

function writeFrameHead(
  buffer: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): void {
  buffer.writeUIntBE(length, at, 3);
  buffer[at + 3] = type;
  buffer[at + 4] = flags;
  buffer.writeUInt32BE(stream, at + 5);
}
