import { ReservationChangeSchema } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Stencil } from "../../src/rpc/stencil.ts";

const encode = (reservationRef: string) =>
  toBinary(ReservationChangeSchema, create(ReservationChangeSchema, { reservationRef, version: 7n }));

test("prints what encoding would have given, and leaves earlier prints alone", () => {
  const [one, other, third] = ["a", "b", "c"].map((letter) => letter.repeat(32)) as [string, string, string];
  const stencil = new Stencil(encode(one), one);
  const prints = [other, third].map((text) => stencil.print(text));
  expect(prints.map((bytes) => new Uint8Array(bytes))).toEqual([encode(other), encode(third)]);
  expect(fromBinary(ReservationChangeSchema, stencil.print(one)).reservationRef).toBe(one);
});

test("refuses a text of another length, and a message where its text is missing or stands twice", () => {
  expect(() => new Stencil(encode("a"), "a").print("ab")).toThrow("one length");
  expect(() => new Stencil(encode("a"), "b")).toThrow("exactly once");
  expect(() => new Stencil(encode("aa"), "a")).toThrow("exactly once");
});
