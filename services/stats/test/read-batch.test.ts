import {
  ChangeBatchSchema,
  ChangeSchema,
  ReservationChangeSchema,
} from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readBatch } from "../read-batch.ts";

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const time = fc.option(fc.record({ seconds: int64, nanos: int32 }), { nil: undefined });
const money = fc.option(fc.record({ currencyCode: fc.string(), minorUnits: int64 }), { nil: undefined });

const reservation = fc.record({
  reservationRef: fc.string({ unit: "binary" }),
  version: int64,
  state: fc.integer({ min: 0, max: 99 }),
  items: fc.array(fc.record({ ticketTypeId: fc.string(), quantity: int32, unitPrice: money }), {
    maxLength: 3,
  }),
  total: money,
  createTime: time,
  expireTime: time,
  payTime: time,
  closeTime: time,
});

const batchOf = (...changes: Parameters<typeof create<typeof ChangeSchema>>[1][]) =>
  create(ChangeBatchSchema, {
    batchId: "b",
    eventId: "e",
    changeTime: { seconds: 7n },
    changes: changes as [],
  });

test("a reservation is read as protobuf-es reads it, whatever it holds", () => {
  fc.assert(
    fc.property(fc.array(reservation, { maxLength: 4 }), (reservations) => {
      const bytes = toBinary(
        ChangeBatchSchema,
        batchOf(...reservations.map((value) => ({ change: { case: "reservation", value } as never }))),
      );
      const expected = fromBinary(ChangeBatchSchema, bytes);
      const { eventId, changeTime, changes } = readBatch(bytes);
      expect({ eventId, changeTime }).toEqual({ eventId: "e", changeTime: expected.changeTime });
      const read = changes.map((readChange) => {
        const change = readChange();
        if (!("reservation" in change)) throw new Error("not read as a reservation");
        return create(ReservationChangeSchema, change.reservation as never);
      });
      expect(read).toEqual(
        expected.changes.map(({ change }) => {
          const {
            total: _,
            expireTime: __,
            ...counted
          } = change.value as { total: unknown; expireTime: unknown };
          return create(ReservationChangeSchema, counted);
        }),
      );
    }),
  );
});

test("what is no reservation, or two in one, is read by protobuf-es", () => {
  const event = create(ChangeSchema, { change: { case: "event", value: { name: "one" } } });
  const half = (value: object) =>
    toBinary(ChangeSchema, create(ChangeSchema, { change: { case: "reservation", value } }));
  const two = fromBinary(ChangeSchema, Buffer.concat([half({ version: 3n }), half({ state: 2 })]));
  const bytes = Buffer.concat([
    toBinary(ChangeBatchSchema, batchOf(event)),
    Buffer.from([0x1a, half({ version: 3n }).length + half({ state: 2 }).length]),
    half({ version: 3n }),
    half({ state: 2 }),
  ]);
  const { changes } = readBatch(bytes);
  expect(changes.map((read) => read())).toEqual([{ change: event }, { change: two }]);
});

test("a change that cannot be read does not take its neighbours with it, and a message that cannot is refused", () => {
  const good = toBinary(
    ChangeBatchSchema,
    batchOf({ change: { case: "reservation", value: { version: 3n } } }),
  );
  const bad = Buffer.from([0x1a, 4, 0x1a, 2, 0x10, 0xff]);
  const { changes } = readBatch(Buffer.concat([good, bad, good]));
  expect(changes.map((read) => attempt(read))).toEqual(["read", "refused", "read"]);
  expect(attempt(() => readBatch(good.subarray(0, good.length - 1)))).toBe("refused");
});

function attempt(work: () => unknown): "read" | "refused" {
  try {
    work();
    return "read";
  } catch {
    return "refused";
  }
}
