import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { startTalk } from "./harness.ts";

const CALLS = 200;
const NUMBERS = 10_000;
const BYTES_OF_NUMBER = 8;

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as (options?: { type: "minor" }) => void;

test("what a call held is gone with the next minor collections, while its connection lives on", async () => {
  await using talk = await startTalk({
    say(_, { signal }) {
      Object.assign(signal, { held: new Array(NUMBERS).fill(0.5) });
      return {};
    },
  });
  const makeCalls = async () => {
    for (let index = 0; index < CALLS; index++) await talk.client.say({});
  };
  await makeCalls();
  gc();
  const before = process.memoryUsage().heapUsed;
  await makeCalls();
  for (let time = 0; time < 3; time++) gc({ type: "minor" });
  const keptByCall = (process.memoryUsage().heapUsed - before) / CALLS;
  expect(keptByCall).toBeLessThan((NUMBERS * BYTES_OF_NUMBER) / 2);
});
