import { describe, expect, test } from "vitest";
import { median } from "../harness/numbers.ts";
import { printReport, ratioOf, toMarkdown, verdictOn } from "../harness/report.ts";
import { percentile } from "../load/latencies.ts";
import type { Figure } from "../mode.ts";

const rate: Figure = {
  what: "Reserve",
  values: [12_000, 10_000, 11_000],
  unit: "/s",
  against: { name: "B", values: [4_000, 5_000, 4_400] },
  target: { first: 2, goal: 4 },
};

const latency: Figure = {
  what: "p99",
  values: [31.26],
  unit: "ms",
  target: { first: 50, goal: 20, atMost: true },
};

test.each([
  [[3, 1, 2], 2],
  [[10, 1, 2, 4], 3],
  [[5], 5],
])("the median of %j is %d", (values, middle) => {
  expect(median(values)).toBe(middle);
});

test.each([
  [[1, 2, 3, 4], 0.5, 2],
  [[1, 2, 3, 4], 0.99, 4],
  [Array.from({ length: 200 }, (_, index) => index + 1), 0.99, 198],
  [[], 0.99, 0],
])("of %j the percentile %d is %d", (sorted, share, value) => {
  expect(percentile(sorted, share)).toBe(value);
});

describe("a figure against its target", () => {
  test("the ratio is that of the medians", () => {
    expect(ratioOf(rate)).toBe(2.5);
  });

  test.each([
    [{ first: 2, goal: 2.5 }, "then"],
    [{ first: 2.5, goal: 2.6 }, "first"],
    [{ first: 2.6, goal: 3 }, "missed"],
    [{ goal: 3 }, "not yet"],
  ])("%j is %s", (target, verdict) => {
    expect(verdictOn({ ...rate, target })).toBe(verdict);
  });

  test.each([
    [{ first: 50, goal: 31.26, atMost: true }, "then"],
    [{ first: 31.26, goal: 20, atMost: true }, "first"],
    [{ first: 30, goal: 20, atMost: true }, "missed"],
  ])("where less is better %j is %s", (target, verdict) => {
    expect(verdictOn({ ...latency, target })).toBe(verdict);
  });
});

test("the table shows medians with their spread, and the ratios of single rounds", () => {
  expect(printReport({ figures: [rate, latency], notes: ["a note"] })).toMatchInlineSnapshot(`
    "what     measured                     against    ratio (least to most)  first / then   met
    ------------------------------------------------------------------------------------------
    Reserve  11,000/s (10,000 to 12,000)  B 4,400/s  2.50 (2.00 to 3.00)    2 x / 4 x      first
    p99      31.3 ms                                                        50 ms / 20 ms  first

    a note"
  `);
});

test("the document holds every mode's table", () => {
  const text = toMarkdown("A machine", [
    { mode: { name: "reserve" }, report: { figures: [rate], notes: [] } },
  ]);
  expect(text).toContain("A machine");
  expect(text).toContain("## reserve");
  expect(text).toContain("| Reserve | 11,000/s (10,000 to 12,000) | B 4,400/s | 2.50 (2.00 to 3.00) |");
});
