import { type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { BoxofficeError } from "../errors.ts";

/** The message as grpc-js sends it. The bytes are not copied. */
export function encode(desc: DescMessage, message: Message): Buffer {
  const { buffer, byteOffset, byteLength } = toBinary(desc, message);
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** @throws BoxofficeError INVALID_REQUEST when the bytes are no such message */
export function decodeRequest(desc: DescMessage, bytes: Buffer): Message {
  try {
    return fromBinary(desc, bytes);
  } catch (error) {
    throw malformed(desc, error);
  }
}

/** For grpc-js, so that it passes bytes through and errors of the codec are ours to answer. */
export const asIs = (bytes: Buffer): Buffer => bytes;

function malformed({ typeName }: DescMessage, cause: unknown): BoxofficeError {
  return new BoxofficeError("INVALID_REQUEST", `the request is not a valid ${typeName}`, { cause });
}
