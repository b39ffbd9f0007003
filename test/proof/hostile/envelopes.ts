import { deflateSync, gzipSync } from "node:zlib";
import type { Random } from "../../faults/random.ts";

const HEAD = 5;

/** A message as gRPC, gRPC-Web and Connect's streams frame it. */
export function envelope(flags: number, message: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt8(flags);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** A body of envelopes that is wrong in some way, and the encoding that it claims, if any. */
export function mutateEnvelope(message: Buffer, random: Random): { body: Buffer; encoding?: string } {
  const good = envelope(0, message);
  switch (random.int(0, 15)) {
    case 0:
      return { body: Buffer.alloc(0) };
    case 1:
      return { body: good.subarray(0, random.int(0, HEAD)) };
    case 2:
      return { body: good.subarray(0, random.int(HEAD, good.length)) };
    case 3:
      return { body: Buffer.concat([good, good]) };
    case 4:
      return {
        body: Buffer.concat([good, Buffer.from(random.pick([[0], [0, 0, 0, 0], [255, 255, 255, 255, 255]]))]),
      };
    case 5:
      return { body: envelope(random.pick([1, 2, 3, 4, 0x40, 0x80, 0x81, 0xff]), message) };
    case 6:
      return { body: withLength(good, message.length + random.pick([1, -1, 5, 1_000, 70_000])) };
    case 7:
      return { body: withLength(good, random.pick([2 ** 32 - 1, 2 ** 31, 2 ** 31 - 1, 5 * 2 ** 20, 0])) };
    case 8:
      return {
        body: envelope(1, message),
        encoding: random.pick(["gzip", "deflate", "br", "identity", "zstd", "rot13"]),
      };
    case 9:
      return { body: envelope(1, gzipSync(message).subarray(0, random.int(0, 20))), encoding: "gzip" };
    case 10:
      return { body: envelope(1, random.pick(BOMBS)), encoding: "gzip" };
    case 11:
      return { body: envelope(1, gzipSync(message)), encoding: "gzip" };
    case 12:
      return { body: envelope(1, deflateSync(message)), encoding: random.pick(["deflate", "gzip"]) };
    case 13:
      return { body: Buffer.concat([gzipTrailing(message)]), encoding: "gzip" };
    case 14:
      return { body: Buffer.from(Array.from({ length: random.int(1, 200) }, () => random.int(0, 255))) };
    default:
      return {
        body: Buffer.concat(
          Array.from({ length: random.pick([3, 200]) }, () => envelope(0, Buffer.alloc(0))),
        ),
      };
  }
}

/** Compressed bodies that unpack to 8 and to 32 MiB of spaces. */
export const BOMBS: readonly Buffer[] = [8, 32].map((mebibytes) =>
  gzipSync(Buffer.alloc(mebibytes * 2 ** 20, " ")),
);

function withLength(good: Buffer, length: number): Buffer {
  const lying = Buffer.from(good);
  lying.writeUInt32BE(Math.max(0, length), 1);
  return lying;
}

/** Well compressed, with garbage behind. */
const gzipTrailing = (message: Buffer): Buffer =>
  envelope(1, Buffer.concat([gzipSync(message), Buffer.from("garbage")]));
