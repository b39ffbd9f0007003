import type { DescMessage, Message } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import { type FieldViolation, invalidField, invalidRequest } from "../errors.ts";
import { findNul } from "./nul.ts";

/** How many violations an answer names: they travel in headers, for which clients reserve as little as 8 KiB. */
const MAX_VIOLATIONS = 10;
const MAX_TEXT_LENGTH = 200;

/**
 * Checks requests against the rules that the proto files declare, each message of a client's stream included.
 *
 * @throws BoxofficeError INVALID_REQUEST with the fields that are wrong
 */
export function validateInterceptor(): Interceptor {
  return (next) => async (request) => {
    const { input } = request.method;
    if (request.stream) return next({ ...request, message: checkEach(input, request.message) });
    checkRequest(input, request.message);
    return next(request);
  };
}

/** Reads the rules of a message, so that the first call need not, and a wrong rule is found at start. */
export function prepareRules(desc: DescMessage, empty: Message): void {
  const result = validator.validate(desc, empty);
  if (result.kind === "error")
    throw new Error(`the rules of ${desc.typeName} are wrong`, { cause: result.error });
}

const validator = createValidator();

/**
 * Checks one message against its rules.
 *
 * @throws BoxofficeError INVALID_REQUEST with the fields that are wrong
 */
export function checkRequest(desc: DescMessage, message: Message): void {
  const withNul = findNul(desc, message);
  if (withNul !== undefined) throw invalidField(shorten(withNul), "must not contain U+0000");
  const result = validator.validate(desc, message);
  if (result.kind === "invalid")
    throw invalidRequest(result.violations.slice(0, MAX_VIOLATIONS).map(toFieldViolation));
  if (result.kind === "error") throw result.error;
}

async function* checkEach(desc: DescMessage, messages: AsyncIterable<Message>): AsyncIterable<Message> {
  for await (const message of messages) {
    checkRequest(desc, message);
    yield message;
  }
}

function toFieldViolation({ field, message }: Violation): FieldViolation {
  return { field: shorten(pathToString(field)), description: shorten(message) };
}

/** A path can hold the key of a map, which is the caller's text. */
function shorten(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text;
}
