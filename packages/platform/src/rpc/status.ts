import { type Status, StatusSchema } from "@boxoffice/proto/google/rpc/status_pb.ts";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ServiceError, StatusObject, status } from "@grpc/grpc-js";
import { BoxofficeError, fromConnectError, toConnectError } from "../errors.ts";
import { toMetadata } from "./metadata.ts";

/** Where gRPC carries a `google.rpc.Status`, and in it the details of an error. */
const DETAILS_KEY = "grpc-status-details-bin";

/** Codes that mean a bug of ours. Their text is for the log: it was not written for the caller. */
const FAULTS: readonly Code[] = [Code.Unknown, Code.Internal, Code.DataLoss];

/** Whether an error is a bug to look into, as opposed to an answer that the caller was meant to get. */
export function isFault(error: unknown): boolean {
  return error instanceof ConnectError ? FAULTS.includes(error.code) : !(error instanceof BoxofficeError);
}

/** How grpc-js is told that a call failed; Connect's codes are gRPC's. Of a fault, the caller learns that there was one. */
export function toGrpcStatus(error: unknown, trailer: Headers): StatusObject {
  const shown = toShown(error);
  const metadata = toMetadata(trailer);
  if (shown.details.length > 0)
    metadata.set(DETAILS_KEY, Buffer.from(toBinary(StatusSchema, packStatus(shown))));
  // grpc-js encodes the text as a URI, which throws on half of a surrogate pair.
  return { code: shown.code as number as status, details: shown.rawMessage.toWellFormed(), metadata };
}

/**
 * What grpc-js reports of a failed call, with the details that the server attached. It carries no metadata of
 * the answer, so that none is relayed to the next caller.
 */
export function fromGrpcStatus({
  code,
  details,
  metadata,
}: Pick<ServiceError, keyof StatusObject>): ConnectError {
  const error = new ConnectError(details, code in Code ? (code as number as Code) : Code.Unknown);
  const [encoded] = metadata.get(DETAILS_KEY);
  if (encoded instanceof Buffer) error.details = decodeDetails(encoded);
  return error;
}

/** An error as one result among many: what a call of its own would have failed with, in the form that gRPC gives it. */
export function toStatus(error: unknown): Status {
  return packStatus(toShown(error));
}

/** What {@link toStatus} was given, as far as it was meant for the caller. */
export function fromStatus({ code, message, details }: Status): unknown {
  const error = new ConnectError(message, code in Code ? code : Code.Unknown);
  error.details = unpackDetails(details);
  return fromConnectError(error);
}

const toShown = (error: unknown): ConnectError =>
  isFault(error) ? new ConnectError("internal error", Code.Internal) : toConnectError(error);

function packStatus({ code, rawMessage, details }: ConnectError): Status {
  const packed = details.map((detail) =>
    "desc" in detail
      ? anyPack(detail.desc, create(detail.desc, detail.value))
      : { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value },
  );
  return create(StatusSchema, { code, message: rawMessage, details: packed });
}

/** Details that cannot be read are left out: the code and the message still say what happened. */
function decodeDetails(encoded: Buffer): ConnectError["details"] {
  try {
    return unpackDetails(fromBinary(StatusSchema, encoded).details);
  } catch {
    return [];
  }
}

const unpackDetails = (details: Status["details"]): ConnectError["details"] =>
  details.map(({ typeUrl, value }) => ({ type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1), value }));
