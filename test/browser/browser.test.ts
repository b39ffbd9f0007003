import { afterAll, beforeAll, describe } from "vitest";
import { choosingTests } from "./choosing.ts";
import { findChromium } from "./chromium.ts";
import { firstPaintTests } from "./first-paint.ts";
import { holdingTests } from "./holding.ts";
import { operationsTests } from "./operations.ts";
import { pageTests } from "./pages.ts";
import { purchaseTests } from "./purchase.ts";
import { watchingTests } from "./watching.ts";
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

  // Alone, before the others: it tells times.
  describe("at first sight", () => firstPaintTests(() => world));

  // Together, because each mostly waits: for an answer, an event, the end of a hold.
  describe.concurrent("the shop", () => {
    purchaseTests(() => world);
    choosingTests(() => world);
    holdingTests(() => world);
    watchingTests(() => world);
    pageTests(() => world);
  });
  describe.concurrent("operations", () => operationsTests(() => world));
});
