import { type Money, MoneySchema } from "@boxoffice/proto/boxoffice/common/v1/money_pb.ts";
import { create } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { cutPage, parsePage, sortKey } from "../src/pages.ts";
import { parseOptionalTime, parsePrice, parseTime } from "../src/parse.ts";
import { refOf } from "../src/ref.ts";

const time = (seconds: bigint, nanos = 0): Timestamp => create(TimestampSchema, { seconds, nanos });
const money = (currencyCode: string, minorUnits: bigint): Money =>
  create(MoneySchema, { currencyCode, minorUnits });

const field = (path: string) => ({
  reason: "INVALID_REQUEST",
  fields: [expect.objectContaining({ field: path })],
});

describe("times", () => {
  test("are taken to the millisecond", () => {
    expect(parseTime("at", time(1_700_000_000n, 123_000_000))).toEqual(new Date(1_700_000_000_123));
    expect(parseOptionalTime("at", undefined)).toBeNull();
  });

  test.each([
    time(-62_135_596_800n),
    time(946_684_799n),
    time(7_258_118_400n),
    time(253_402_300_800n),
    time(9_223_372_036_854_775_807n),
    time(1_700_000_000n, -1),
    time(1_700_000_000n, 1_000_000_000),
  ])("out of reach are refused: $seconds s, $nanos ns", (wrong) => {
    expect(() => parseTime("event.starts_at", wrong)).toThrow(
      expect.objectContaining(field("event.starts_at")),
    );
  });
});

describe("prices", () => {
  test.each([0n, 1n, 100_000_000n])("%s cents", (cents) => {
    expect(parsePrice("price", money("EUR", cents))).toBe(cents);
  });

  test.each([
    [undefined, "price"],
    [money("EUR", -1n), "price.minor_units"],
    [money("EUR", 100_000_001n), "price.minor_units"],
    [money("USD", 1n), "price.currency_code"],
    [money("", 1n), "price.currency_code"],
  ])("are refused by the field: %s", (wrong, path) => {
    expect(() => parsePrice("price", wrong)).toThrow(expect.objectContaining(field(path)));
  });
});

describe("pages", () => {
  const ids = ["0199d2a4-7c3e-7000-8000-000000000001", "0199d2a4-7c3e-7000-8000-000000000002"];

  test("lead from one to the next, by the key of the last row", () => {
    const { page, nextPageToken } = cutPage(ids, 1, (id) => ["2026-01-01T00:00:00.000Z", id]);
    expect(page).toEqual([ids[0]]);
    expect(parsePage({ pageSize: 0, pageToken: nextPageToken }, sortKey.time, sortKey.id)).toEqual({
      size: 50,
      after: ["2026-01-01T00:00:00.000Z", ids[0]],
    });
    expect(cutPage(ids, 2, (id) => [id])).toEqual({ page: ids, nextPageToken: "" });
    expect(parsePage({ pageSize: 7, pageToken: "" }, sortKey.id)).toEqual({ size: 7, after: undefined });
  });

  test.each(["x", "e30", "bnVsbA", encode([]), encode(["1"]), encode([1]), encode([ids[0], ids[0]])])(
    "are not taken from strangers: %s",
    (pageToken) => {
      expect(() => parsePage({ pageSize: 0, pageToken }, sortKey.id)).toThrow(
        expect.objectContaining(field("page_token")),
      );
    },
  );

  function encode(value: unknown): string {
    return Buffer.from(JSON.stringify(value)).toString("base64url");
  }
});

test("a reservation's ref is the start of the SHA-256 of its id, in hex", () => {
  expect(refOf("abc")).toBe("ba7816bf8f01cfea414140de5dae2223");
});
