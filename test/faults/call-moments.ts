import { FaultProxy, type Link } from "./proxy.ts";

/**
 * A moment of a gRPC call: the caller begins to ask (and nothing has arrived), the whole request has arrived, the
 * server begins to answer (and the caller has heard nothing), or the caller has been told everything.
 */
export type CallMoment = "asking" | "asked" | "answering" | "told";

export const CALL_MOMENTS: readonly CallMoment[] = ["asking", "asked", "answering", "told"];

/** Moments at which the bytes that brought them about never arrive. */
const UNHEARD: readonly CallMoment[] = ["asking", "answering"];

/** Stands between a service and another one that it calls, and does something at a moment of the next call. */
export class CallMoments {
  readonly #proxy: FaultProxy;
  readonly #readers = new WeakMap<Link, { client: FrameReader; server: FrameReader }>();
  #armed: { moment: CallMoment; act: () => void } | undefined;

  /** @param target where the calls go, `host:port` */
  constructor(target: string) {
    this.#proxy = new FaultProxy(target);
    this.#proxy.fromClient = (chunk, link) => this.#pass("client", chunk, link);
    this.#proxy.fromServer = (chunk, link) => this.#pass("server", chunk, link);
  }

  start(): Promise<void> {
    return this.#proxy.start();
  }

  stop(): Promise<void> {
    return this.#proxy.stop();
  }

  /** Where the calling service finds the other one. */
  get address(): string {
    return this.#proxy.address;
  }

  /** Acts at this moment of the next call. Resolves when it has. */
  at(moment: CallMoment, act: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#armed = {
        moment,
        act: () => {
          act();
          resolve();
        },
      };
    });
  }

  #pass(from: "client" | "server", chunk: Buffer, link: Link): boolean {
    const readers = this.#readers.get(link) ?? {
      client: new FrameReader(PREFACE_BYTES),
      server: new FrameReader(0),
    };
    this.#readers.set(link, readers);
    const moments = momentsOf(from, readers[from].read(chunk));
    const armed = this.#armed;
    if (armed === undefined || !moments.has(armed.moment)) return true;
    this.#armed = undefined;
    const isHeard = !UNHEARD.includes(armed.moment);
    if (isHeard) (from === "client" ? link.server : link.client).write(chunk);
    armed.act();
    return false;
  }
}

/** HTTP/2 (RFC 9113): what a client says first, and how a frame begins. */
const PREFACE_BYTES = 24;
const FRAME_HEADER_BYTES = 9;
const [DATA, HEADERS] = [0x0, 0x1];
const END_STREAM = 0x1;

type Frame = { type: number; endsStream: boolean };

function momentsOf(from: "client" | "server", frames: readonly Frame[]): ReadonlySet<CallMoment> {
  const moments = new Set<CallMoment>();
  for (const { type, endsStream } of frames) {
    if (type !== DATA && type !== HEADERS) continue; // settings, pings and the like belong to no call
    if (type === HEADERS) moments.add(from === "client" ? "asking" : "answering");
    if (endsStream) moments.add(from === "client" ? "asked" : "told");
  }
  return moments;
}

/** Tells frames apart in a stream of bytes that comes in pieces of any size. */
class FrameReader {
  #toSkip: number;
  #header = Buffer.alloc(0);

  constructor(toSkip: number) {
    this.#toSkip = toSkip;
  }

  /** @returns the frames that begin in this piece, or rather those whose header ends in it */
  read(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    for (let rest = chunk; rest.length > 0; ) {
      const skipped = Math.min(this.#toSkip, rest.length);
      this.#toSkip -= skipped;
      rest = rest.subarray(skipped);
      const missing = FRAME_HEADER_BYTES - this.#header.length;
      this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (this.#header.length < FRAME_HEADER_BYTES) break;
      frames.push({
        type: this.#header.readUInt8(3),
        endsStream: (this.#header.readUInt8(4) & END_STREAM) !== 0,
      });
      this.#toSkip = this.#header.readUIntBE(0, 3);
      this.#header = Buffer.alloc(0);
    }
    return frames;
  }
}
