import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const FIXTURE = join(import.meta.dirname, "fixtures", "collections.ts");

/** A process of its own: how V8 collects is set for all of it. */
async function majorCollections(...args: string[]): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [FIXTURE, ...args]);
  return Number(stdout);
}

test("a tuned collector collects old objects more often than V8 does by itself", async () => {
  const untuned = await majorCollections();
  expect(untuned).toBeGreaterThan(0);
  expect(await majorCollections("tuned")).toBeGreaterThan(untuned);
});
