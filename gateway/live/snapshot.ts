import type { DescMessage, Message } from "@bufbuild/protobuf";
import { envelope } from "../envelope.ts";
import { encode } from "../forward.ts";
import type { Codec } from "../unary.ts";

/** What a service told, as it goes to viewers: written once in each encoding, whoever many take it. */
export class Snapshot {
  readonly #desc: DescMessage;
  readonly #message: Message;
  readonly #frames = new Map<Codec, Buffer>();

  constructor(desc: DescMessage, message: Message) {
    this.#desc = desc;
    this.#message = message;
  }

  /** The same, to be told once more to those who have seen it. */
  again(): Snapshot {
    return new Snapshot(this.#desc, this.#message);
  }

  /** The message in its envelope. */
  frame(codec: Codec): Buffer {
    const known = this.#frames.get(codec);
    if (known !== undefined) return known;
    const frame = envelope(0, encode(this.#desc, this.#message, codec));
    this.#frames.set(codec, frame);
    return frame;
  }
}
