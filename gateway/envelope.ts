import { checkCompression, decompress } from "./decompress.ts";
import { malformed } from "./refusal.ts";

const HEADER_BYTES = 5;
const COMPRESSED = 1;

/** What Connect and gRPC-Web wrap each message of a stream in: flags, and the length. */
export function envelope(flags: number, data: Uint8Array | string): Buffer {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  const frame = Buffer.allocUnsafe(HEADER_BYTES + bytes.length);
  frame.writeUInt8(flags, 0);
  frame.writeUInt32BE(bytes.length, 1);
  frame.set(bytes, HEADER_BYTES);
  return frame;
}

/**
 * The one message that a body holds.
 *
 * @param compression how messages are compressed that say that they are
 * @throws BoxofficeError INVALID_REQUEST where the body is anything but one whole envelope
 */
export async function messageIn(body: Buffer, compression = "identity"): Promise<Buffer> {
  checkCompression(compression);
  if (body.length < HEADER_BYTES) throw malformed("the request has no message in an envelope");
  const flags = body.readUInt8(0);
  const length = body.readUInt32BE(1);
  const message = body.subarray(HEADER_BYTES);
  if (flags > COMPRESSED) throw malformed(`the envelope's flags are ${flags}, and can be 0 or 1`);
  if (message.length !== length) {
    throw malformed(`the envelope tells of ${length} bytes, and ${message.length} follow`);
  }
  if (flags !== COMPRESSED) return message;
  if (compression === "identity") throw malformed("the message is compressed, and no header tells how");
  return decompress(message);
}
