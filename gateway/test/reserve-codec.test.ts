import {
  ReservationState,
  ReserveRequestSchema,
  ReserveResponseSchema,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import {
  create,
  fromBinary,
  fromJsonString,
  type MessageInitShape,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { JSON_OPTIONS } from "../json-options.ts";
import { decodeReserveResponse, encodeReserveRequest } from "../reserve-codec.ts";
import { EVENT_ID } from "./harness.ts";

const ITEM = { ticketTypeId: EVENT_ID, quantity: 2 };

/** Requests in which anything may be missing, odd, or of another type. */
const odd = fc.oneof(
  fc.string(),
  fc.constant(""),
  fc.integer(),
  fc.constant(null),
  fc.constant([]),
  fc.constant({}),
);
const text = fc.oneof({ weight: 5, arbitrary: fc.constant(EVENT_ID) }, odd);
const quantity = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 20_000_000 }) },
  fc.double(),
  odd,
);
const item = fc.oneof(
  { weight: 9, arbitrary: fc.record({ ticketTypeId: text, quantity }, { requiredKeys: [] }) },
  { weight: 1, arbitrary: odd },
);
const request = fc.record(
  {
    eventId: text,
    items: fc.oneof(
      { weight: 9, arbitrary: fc.array(item, { maxLength: 4 }) },
      { weight: 1, arbitrary: odd },
    ),
    requestId: text,
    customer: fc.record({ name: fc.string(), email: fc.string() }),
    later: odd,
  },
  { requiredKeys: [] },
);

test("a request becomes what the library makes of it, or is left to the library", () => {
  fc.assert(
    fc.property(request, (value) => {
      const json = JSON.stringify(value);
      const encoded = encodeReserveRequest(json);
      if (encoded === undefined) return;
      const expected = fromJsonString(ReserveRequestSchema, json, JSON_OPTIONS);
      expect(Buffer.from(toBinary(ReserveRequestSchema, expected)).equals(encoded)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test("plain requests are not left to the library", () => {
  for (const plain of [
    { eventId: EVENT_ID, items: [ITEM], requestId: EVENT_ID },
    { requestId: EVENT_ID, items: [ITEM, ITEM, ITEM], eventId: EVENT_ID },
    { eventId: EVENT_ID, items: [ITEM] },
    { eventId: EVENT_ID, items: [] },
  ]) {
    for (const indent of [undefined, 2]) {
      expect(encodeReserveRequest(JSON.stringify(plain, undefined, indent))).toBeDefined();
    }
  }
});

test.each([
  ["a key twice", `{"eventId":"${EVENT_ID}","eventId":"${EVENT_ID}","items":[]}`],
  ["a key twice in an item", `{"eventId":"a","items":[{"ticketTypeId":"a","quantity":1,"quantity":2}]}`],
  ["a key twice, once escaped", '{"eventId":"a","items":[],"\\u0069tems":[]}'],
  ["both names of a field", '{"eventId":"a","event_id":"b","items":[]}'],
  ["a customer", '{"eventId":"a","items":[],"customer":{"name":"b"}}'],
  ["no JSON", "{"],
  ["a prototype", '{"eventId":"a","items":[],"__proto__":{"requestId":"b"}}'],
])("%s is left to the library", (_, json) => {
  expect(encodeReserveRequest(json)).toBeUndefined();
});

const cents = fc.bigInt({ min: 0n, max: 2n ** 40n });
const anyInt64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const money = fc.record({
  currencyCode: fc.string(),
  minorUnits: fc.oneof({ weight: 9, arbitrary: cents }, anyInt64),
});
const seconds = fc.oneof(
  fc.bigInt({ min: 0n, max: 5_000_000_000n }),
  fc.bigInt({ min: -9n, max: 300_000_000_000n }),
);
const nanos = fc.oneof(
  fc.integer({ min: 0, max: 999 }).map((ms) => ms * 1_000_000),
  fc.integer({ min: 0, max: 999_999_999 }),
);
const instant = fc.record({ seconds, nanos });
const reservation = fc.record(
  {
    reservationId: fc.string({ unit: "grapheme" }),
    eventId: fc.string(),
    state: fc.integer({ min: 0, max: 6 }) as fc.Arbitrary<ReservationState>,
    items: fc.array(
      fc.record({
        ticketTypeId: fc.string(),
        name: fc.string({ unit: "grapheme", maxLength: 200 }),
        category: fc.string(),
        quantity: fc.oneof({ weight: 9, arbitrary: fc.nat() }, fc.integer()),
        unitPrice: money,
      }),
      { maxLength: 3 },
    ),
    total: money,
    createTime: instant,
    expireTime: instant,
    expiresIn: instant,
    paymentId: fc.string(),
    customer: fc.option(fc.record({ name: fc.string() }), { nil: undefined, freq: 2 }),
  },
  { requiredKeys: [] },
);

test("a response becomes what the library makes of it, or is left to the library", () => {
  let [same, left] = [0, 0];
  fc.assert(
    fc.property(reservation, (value) => {
      const bytes = toBinary(ReserveResponseSchema, create(ReserveResponseSchema, { reservation: value }));
      const json = decodeReserveResponse(bytes);
      if (json === undefined) left++;
      else {
        expect(json).toBe(
          toJsonString(ReserveResponseSchema, fromBinary(ReserveResponseSchema, bytes), JSON_OPTIONS),
        );
        same++;
      }
    }),
    { numRuns: 3_000 },
  );
  expect([same > 200, left > 200]).toEqual([true, true]);
});

const HELD: MessageInitShape<typeof ReserveResponseSchema> = {
  reservation: {
    reservationId: EVENT_ID,
    eventId: EVENT_ID,
    state: ReservationState.HELD,
    items: [
      {
        ...ITEM,
        name: "Stehplatz „Süd“",
        category: "vip",
        unitPrice: { currencyCode: "EUR", minorUnits: 4900n },
      },
    ],
    total: { currencyCode: "EUR", minorUnits: 9800n },
    createTime: { seconds: 1_800_000_000n, nanos: 120_000_000 },
    expireTime: { seconds: 1_800_000_900n },
    expiresIn: { seconds: 899n, nanos: 5_000_000 },
  },
};

test("a hold is not left to the library", () => {
  const message = create(ReserveResponseSchema, HELD);
  const expected = toJsonString(ReserveResponseSchema, message, JSON_OPTIONS);
  expect(decodeReserveResponse(toBinary(ReserveResponseSchema, message))).toBe(expected);
});

test("what is cut off or goes on is left to the library", () => {
  const bytes = toBinary(ReserveResponseSchema, create(ReserveResponseSchema, HELD));
  for (let length = 0; length < bytes.length; length++) {
    expect([length, decodeReserveResponse(bytes.subarray(0, length))]).toEqual([length, undefined]);
  }
  expect(decodeReserveResponse(Buffer.concat([bytes, Buffer.from([0x78, 1])]))).toBeUndefined();
});
