import { expect, test } from "vitest";
import { rateOf } from "../src/operations/rate.ts";

test.each([
  ["nothing is known yet", [], 0],
  ["one sample tells nothing", [500], 0],
  ["two samples are a second apart", [500, 503], 3],
  ["only the last five seconds count", [0, 100, 100, 100, 100, 100, 110], 2],
])("%s", (_, samples, perSecond) => {
  expect(rateOf(samples)).toEqual({ perSecond, inLastMinute: undefined });
});

test("after a minute it is known how much a minute brought", () => {
  const samples = Array.from({ length: 61 }, (_, second) => second * 2);
  expect(rateOf(samples)).toEqual({ perSecond: 2, inLastMinute: 120 });
});
