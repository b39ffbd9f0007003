import type { ConnectError } from "@connectrpc/connect";
import { endStreamFlag, endStreamToJson } from "@connectrpc/connect/protocol-connect";
import {
  grpcStatusOk,
  setTrailerStatus,
  trailerFlag,
  trailerSerialize,
} from "@connectrpc/connect/protocol-grpc-web";
import { envelope } from "./envelope.ts";
import { JSON_OPTIONS } from "./json-options.ts";
import type { Codec } from "./unary.ts";

/** A protocol whose answers are envelopes, of which the last one tells how the call ended, and how messages are written. */
export type Speech = { protocol: "connect" | "grpc-web"; codec: Codec };

const ENVELOPED =
  /^application\/(?:(connect\+)(?=json|proto)|grpc-web\+?)(?:(json)(?:; ?charset=utf-?8)?|proto)?$/i;

/** @returns undefined where a request of this type is a plain message, or is not understood */
export function speechOf(contentType = ""): Speech | undefined {
  const match = ENVELOPED.exec(contentType);
  if (match === null) return undefined;
  return {
    protocol: match[1] === undefined ? "grpc-web" : "connect",
    codec: match[2] === undefined ? "proto" : "json",
  };
}

/** The content type of answers. */
export const typeOf = ({ protocol, codec }: Speech): string => `application/${protocol}+${codec}`;

/** What ends an answer: with an error, or well. */
export function endOf(protocol: Speech["protocol"], error: ConnectError | undefined): Buffer {
  return protocol === "connect" ? connectEnd(error) : grpcWebEnd(error);
}

function connectEnd(error: ConnectError | undefined): Buffer {
  return envelope(endStreamFlag, JSON.stringify(endStreamToJson(new Headers(), error, JSON_OPTIONS)));
}

function grpcWebEnd(error: ConnectError | undefined): Buffer {
  const trailer = new Headers({ "grpc-status": grpcStatusOk });
  if (error !== undefined) setTrailerStatus(trailer, error);
  return envelope(trailerFlag, trailerSerialize(trailer));
}
