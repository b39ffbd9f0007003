import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@boxoffice/proto/google/rpc/error_details_pb.ts";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import {
  BoxofficeError,
  ERROR_DOMAIN,
  fromConnectError,
  invalidField,
  isRefusal,
  REASONS,
  type Reason,
  toConnectError,
} from "../src/errors.ts";

const reasons = Object.keys(REASONS) as Reason[];

describe("on the wire", () => {
  test.each(reasons)("%s carries its reason under its code, and comes back as it was thrown", (reason) => {
    const thrown = new BoxofficeError(reason, "what happened", {
      metadata: { available: 0 },
      retryAfterMs: 1_500,
    });
    const sent = overTheWire(toConnectError(thrown));
    expect(sent.code).toBe(REASONS[reason]);
    expect(sent.findDetails(ErrorInfoSchema)).toMatchObject([
      { reason, domain: ERROR_DOMAIN, metadata: { available: "0" } },
    ]);
    expect(sent.findDetails(RetryInfoSchema)).toMatchObject([
      { retryDelay: { seconds: 1n, nanos: 500_000_000 } },
    ]);
    const received = fromConnectError(sent);
    expect(received).toMatchObject({ reason, message: "what happened", retryAfterMs: 1_500 });
    expect(isRefusal(received, reason)).toBe(true);
    expect(isRefusal(received, reason === "SOLD_OUT" ? "RATE_LIMITED" : "SOLD_OUT")).toBe(false);
  });

  test("a wrong field is named in the details and in the message", () => {
    const sent = overTheWire(toConnectError(invalidField("items[0].quantity", "must be at least 1")));
    expect(sent.rawMessage).toBe("items[0].quantity: must be at least 1");
    const fieldViolations = [{ field: "items[0].quantity", description: "must be at least 1" }];
    expect(sent.findDetails(BadRequestSchema)).toMatchObject([{ fieldViolations }]);
    expect(fromConnectError(sent)).toMatchObject({ fields: fieldViolations });
  });

  test("a defect says nothing of its cause", () => {
    const sent = toConnectError(new Error("password of the database"));
    expect([sent.code, sent.rawMessage, sent.details]).toEqual([Code.Internal, "internal error", []]);
  });

  test("an error of another domain, or of a reason we do not know, stays what it is", () => {
    for (const info of [
      { reason: "SOLD_OUT", domain: "somebody.else" },
      { reason: "toString", domain: ERROR_DOMAIN },
    ]) {
      const details = [{ desc: ErrorInfoSchema, value: info }];
      const foreign = overTheWire(new ConnectError("no", Code.FailedPrecondition, undefined, details));
      expect(fromConnectError(foreign)).toBe(foreign);
    }
  });
});

/** Details arrive as the name of a type and bytes. */
function overTheWire(error: ConnectError): ConnectError {
  const received = new ConnectError(error.rawMessage, error.code);
  const add = <Desc extends DescMessage>(desc: Desc, value: MessageShape<Desc>) =>
    received.details.push({ type: desc.typeName, value: toBinary(desc, value) });
  for (const value of error.findDetails(ErrorInfoSchema)) add(ErrorInfoSchema, value);
  for (const value of error.findDetails(BadRequestSchema)) add(BadRequestSchema, value);
  for (const value of error.findDetails(RetryInfoSchema)) add(RetryInfoSchema, value);
  return received;
}
