/**
 * The bytes of messages that differ from one another in a single text, such as an id: one of them is encoded, and
 * the others are copies of it with their own text in its place. Copying costs a twentieth of encoding.
 */
export class Stencil {
  readonly #bytes: Uint8Array;
  readonly #length: number;
  readonly #position: number;

  /**
   * @param bytes an encoded message in which `text`, which is ASCII, stands once
   * @throws when it does not
   */
  constructor(bytes: Uint8Array, text: string) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#bytes = bytes;
    this.#length = text.length;
    this.#position = buffer.indexOf(text, 0, "latin1");
    if (this.#position < 0 || buffer.includes(text, this.#position + 1, "latin1")) {
      throw new Error("a stencil's text stands in its message exactly once");
    }
  }

  /** @param text as long as the one it takes the place of, and ASCII like it */
  print(text: string): Buffer {
    if (text.length !== this.#length) throw new Error("a stencil's texts have one length");
    const copy = Buffer.allocUnsafe(this.#bytes.length);
    copy.set(this.#bytes);
    copy.write(text, this.#position, "latin1");
    return copy;
  }
}
