import {
  ChangeBatchSchema,
  ChangeSchema,
  ReservationChangeSchema,
} from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeptParts, MessageParts } from "../../src/rpc/parts.ts";

type Fields = MessageInitShape<typeof ReservationChangeSchema>;

const encode = (fields: Fields) => toBinary(ReservationChangeSchema, create(ReservationChangeSchema, fields));

const { reservationRef } = ReservationChangeSchema.field;
const within = [ChangeBatchSchema.field.changes, ChangeSchema.field.reservation];

test("joined parts are the message that has them all, however long they are", () => {
  const text = fc.stringMatching(/^[0-9a-f]{0,36}$/);
  const items = fc.array(fc.record({ ticketTypeId: fc.string({ maxLength: 300 }), quantity: fc.nat() }), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(text, items, fc.bigInt({ min: 0n, max: 2n ** 40n }), (ref, someItems, version) => {
      const parts = [encode({ items: someItems }), encode({ version })];
      const value = create(ReservationChangeSchema, { reservationRef: ref, items: someItems, version });
      const alone = new MessageParts([], reservationRef).join(ref, ...parts);
      expect(fromBinary(ReservationChangeSchema, alone)).toEqual(value);
      const nested = new MessageParts(within, reservationRef).join(ref, ...parts);
      const batch = create(ChangeBatchSchema, { changes: [{ change: { case: "reservation", value } }] });
      expect(fromBinary(ChangeBatchSchema, nested)).toEqual(batch);
    }),
  );
});

test("a text whose length takes more than a byte is refused, and not written wrong", () => {
  const message = new MessageParts([], reservationRef);
  expect(fromBinary(ReservationChangeSchema, message.join("a".repeat(127))).reservationRef).toHaveLength(127);
  expect(() => message.join("a".repeat(128))).toThrow("more than a byte");
});

test("a part is encoded once, until there are too many", () => {
  const kept = new KeptParts(2);
  let encoded = 0;
  const get = (key: string) =>
    kept.get(key, () => {
      encoded++;
      return Buffer.from(key);
    });
  expect(["a", "b", "a", "b"].map((key) => String(get(key)))).toEqual(["a", "b", "a", "b"]);
  expect(encoded).toBe(2);
  get("c");
  get("a");
  expect(encoded).toBe(4);
});
