import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { MAX_REQUEST_BYTES } from "./read-body.ts";
import { malformed } from "./refusal.ts";

/** @throws BoxofficeError INVALID_REQUEST for a compression that is not known here */
export function checkCompression(compression: string): void {
  if (compression === "identity" || compression === "gzip") return;
  throw malformed(`unknown compression "${compression}": supported encodings are gzip`);
}

/**
 * A message that was compressed with gzip.
 *
 * @throws BoxofficeError INVALID_REQUEST where it was not, or is longer than a request may be
 */
export async function decompress(bytes: Buffer): Promise<Buffer> {
  if (bytes.length === 0) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MAX_REQUEST_BYTES });
  } catch (error) {
    const isBomb = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    const tooLarge = `a request has at most ${MAX_REQUEST_BYTES} bytes, decompressed too`;
    throw malformed(isBomb ? tooLarge : "decompression failed", error);
  }
}
