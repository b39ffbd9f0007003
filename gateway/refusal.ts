import { invalidRequest, toConnectError } from "@boxoffice/platform/errors.ts";
import type { DescMethod, JsonValue } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { locateField } from "./locate-field.ts";

const MAX_MESSAGE_LENGTH = 200;

/**
 * Why a request did not get as far as a service. Connect refuses what is malformed before any code of ours runs,
 * in words of its own, and some of it as an internal error. This says the same as INVALID_REQUEST, and names the
 * field where one is wrong.
 *
 * @param status the HTTP status with which Connect refused, and `message` what it said
 * @param json the request's message as text, where it was sent as uncompressed JSON
 */
export function explainRefusal(refused: {
  method: DescMethod;
  status: number;
  message: string;
  json: string | undefined;
}): ConnectError {
  const { method, status, message, json } = refused;
  if (status === 405) return refusal(`${method.name} is not called with this HTTP method`);
  if (status === 415) return refusal("Content-Type must be application/json or application/proto");
  const parsed = json === undefined ? undefined : parse(json);
  if (parsed === "malformed") return refusal("the request is not valid JSON");
  const wrongField = parsed && locateField(method.input, parsed.value);
  if (wrongField) return toConnectError(invalidRequest([wrongField]));
  if (status === 500 || message.startsWith("cannot decode")) {
    return refusal(`the request is not a valid ${method.input.name}`);
  }
  return refusal(message.replace(/^protocol error: /, "").slice(0, MAX_MESSAGE_LENGTH));
}

/** About the request as a whole, not one of its fields. */
export function refusal(message: string): ConnectError {
  return toConnectError(invalidRequest([{ field: "", description: message }]));
}

function parse(json: string): { value: JsonValue } | "malformed" {
  try {
    return { value: JSON.parse(json) };
  } catch {
    return "malformed";
  }
}
