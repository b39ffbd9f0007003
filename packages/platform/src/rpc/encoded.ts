import type { DescMessage, MessageShape } from "@bufbuild/protobuf";

/** An answer that is encoded already. */
export class Encoded {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/**
 * An answer that a handler has encoded itself, for methods of the hot path. To the compiler it is the message that
 * it stands for.
 */
export function encodedAnswer<Desc extends DescMessage>(_desc: Desc, bytes: Buffer): MessageShape<Desc> {
  return new Encoded(bytes) as unknown as MessageShape<Desc>;
}
