import { afterAll, beforeAll, describe } from "vitest";
import { findChromium } from "./chromium.ts";
import { operationsTests } from "./operations.ts";
import { shopTests } from "./shop.ts";
import { World } from "./world.ts";

const executable = findChromium();
if (executable === undefined) {
  process.stderr.write(
    "The browser tests are skipped: there is no Chromium (CHROMIUM_BIN, or on the PATH).\n",
  );
}

describe.skipIf(executable === undefined)("in a browser", { timeout: 240_000 }, () => {
  let world: World;
  beforeAll(async () => {
    world = await World.begin(executable ?? "");
  }, 240_000);
  afterAll(() => world?.end(), 60_000);

  describe("the shop", () => shopTests(() => world));
  describe("operations", () => operationsTests(() => world));
});
