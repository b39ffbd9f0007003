import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const MEASURE = new URL("../fixtures/kept-by-call.ts", import.meta.url).pathname;

test("what a call held is gone with the next minor collections, while its connection lives on", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", MEASURE]);
  expect(Number.parseFloat(stdout)).toBeLessThan(0.5);
});
