import { BoxofficeError, invalidRequest, toConnectError } from "@boxoffice/platform/errors.ts";
import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { locateField } from "./locate-field.ts";

const MAX_MESSAGE_LENGTH = 200;

/** INVALID_REQUEST about the request as a whole, not one of its fields. */
export function malformed(message: string, cause?: unknown): BoxofficeError {
  const description = message.slice(0, MAX_MESSAGE_LENGTH);
  return new BoxofficeError("INVALID_REQUEST", description, { fields: [{ field: "", description }], cause });
}

/** The same as it goes on the wire. */
export const refusal = (message: string): ConnectError => toConnectError(malformed(message));

/**
 * Why a message cannot be read, with the field that is wrong where there is one.
 *
 * @param json the message as text, where it was sent as JSON
 */
export function unreadable(input: DescMessage, json: string | undefined, cause: unknown): BoxofficeError {
  const parsed = json === undefined ? undefined : parse(json);
  if (parsed === "malformed") return malformed("the request is not valid JSON", cause);
  const wrongField = parsed && locateField(input, parsed.value);
  return wrongField
    ? invalidRequest([wrongField])
    : malformed(`the request is not a valid ${input.name}`, cause);
}

function parse(json: string): { value: JsonValue } | "malformed" {
  try {
    return { value: JSON.parse(json) };
  } catch {
    return "malformed";
  }
}
