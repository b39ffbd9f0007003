import { expect, test } from "vitest";
import { freePort } from "../../local/ports.ts";

test("no two processes are given the same free port", async () => {
  const ports: number[] = [];
  for (let n = 0; n < 500; n++) ports.push(await freePort());
  expect(new Set(ports).size).toBe(ports.length);
});
