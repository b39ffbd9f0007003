import type { DescField } from "@bufbuild/protobuf";

/**
 * Puts messages together from parts that were encoded apart: the fields of a message may stand in any order, so the
 * bytes of some of its fields, followed by those of the others, are the message. What many messages share is then
 * encoded once, and copying costs a twentieth of encoding.
 */
export class MessageParts {
  /** From the innermost outwards. */
  readonly #tags: readonly number[];
  readonly #textTag: number;

  /**
   * @param within the fields that the message stands in, each in the message of the one before; none for the message
   *   alone
   * @param textField the message's own field that is a text of its own each time, such as an id
   * @throws where a field's number takes more than a byte
   */
  constructor(within: readonly DescField[], textField: DescField) {
    this.#tags = within.map(tagOf).reverse();
    this.#textTag = tagOf(textField);
  }

  /**
   * @param text ASCII, and shorter than 128 characters
   * @param parts the bytes of all other fields of the message
   * @throws where the text is longer
   */
  join(text: string, ...parts: readonly Uint8Array[]): Buffer {
    if (text.length > 127) throw new Error("the length of the text takes more than a byte");
    let length = 2 + text.length;
    for (const part of parts) length += part.length;
    let whole = length;
    for (let depth = 0; depth < this.#tags.length; depth++) whole += 1 + varintLength(whole);
    const bytes = Buffer.allocUnsafe(whole);
    let at = whole - length;
    this.#writeHeads(bytes, at, length);
    bytes[at++] = this.#textTag;
    bytes[at++] = text.length;
    at += bytes.write(text, at, "latin1");
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** The innermost is next to the message, which begins at `end`. */
  #writeHeads(bytes: Buffer, end: number, length: number): void {
    let at = end;
    let within = length;
    for (const tag of this.#tags) {
      const size = varintLength(within);
      writeVarint(bytes, at - size, within);
      at -= size + 1;
      bytes[at] = tag;
      within += size + 1;
    }
  }
}

/** Parts by what they are the parts of; when they are too many, those of the past are of no use. */
export class KeptParts {
  readonly #parts = new Map<string, Uint8Array>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** @param encode where it is not there yet */
  get(key: string, encode: () => Uint8Array): Uint8Array {
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    if (this.#parts.size >= this.#max) this.#parts.clear();
    const part = encode();
    this.#parts.set(key, part);
    return part;
  }
}

/** Of a field whose value has a length. */
function tagOf({ number, name }: DescField): number {
  if (number > 15) throw new Error(`the number of ${name} takes more than a byte`);
  return (number << 3) | 2;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) length++;
  return length;
}

function writeVarint(bytes: Buffer, position: number, value: number): void {
  let at = position;
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
  bytes[at] = rest;
}
