import { describe, expect, test } from "vitest";
import { csvAmount, csvLines } from "../src/csv.ts";

describe("cells", () => {
  test.each([
    ["plain text", "Standing", "Standing"],
    ["a number", 12, "12"],
    ["a large number", 2n ** 60n, "1152921504606846976"],
    ["a time", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["nothing", null, ""],
    ["a comma", "a,b", '"a,b"'],
    ["quotes", 'say "hi"', '"say ""hi"""'],
    ["a line break", "a\r\nb", '"a\r\nb"'],
    ["a lone line feed", "a\n=1", '"a\n=1"'],
    ["a lone carriage return", "a\r=1", '"a\r=1"'],
    ["=", "=1+1", "'=1+1"],
    ["+", "+49", "'+49"],
    ["-", "-1", "'-1"],
    ["@", "@SUM(A1)", "'@SUM(A1)"],
    ["a tab", "\t=1", "'\t=1"],
    ["a carriage return", "\r=1", '"\'\r=1"'],
    ["a formula that is quoted", '=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'],
    ["= further on", "a=b", "a=b"],
  ])("%s", (_, cell, written) => {
    expect(csvLines([[cell, "end"]])).toBe(`${written},end\r\n`);
  });

  test("several lines", () => {
    expect(
      csvLines([
        ["a", 1],
        ["b", 2],
      ]),
    ).toBe("a,1\r\nb,2\r\n");
  });
});

test.each([
  [0n, "0.00"],
  [5n, "0.05"],
  [12n, "0.12"],
  [1_234n, "12.34"],
  [100_000_000_00n, "100000000.00"],
])("%d cents are %s", (minorUnits, written) => {
  expect(csvAmount(minorUnits)).toBe(written);
});
