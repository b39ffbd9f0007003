import { expect, test } from "vitest";
import type { World } from "./world.ts";

/** So many have never been here before. */
const COLD_LOADS = 12;

/** What the first page of the shop may load of scripts until something is seen, as it was sent. */
const BUDGET_BYTES = 120 * 1000;

/** What whoever comes for the first time loads, and waits for. */
export function firstPaintTests(world: () => World): void {
  test("the first page loads little before it is seen, and nothing of the operations pages", async (context) => {
    const loads: ColdLoad[] = [];
    for (let load = 0; load < COLD_LOADS; load++) {
      const { page } = await world().arrive(context);
      await page.goto("/");
      loads.push(await page.evaluate(readColdLoad));
    }
    for (const { scriptBytes, loaded } of loads) {
      expect(scriptBytes).toBeGreaterThan(0);
      expect(scriptBytes).toBeLessThanOrEqual(BUDGET_BYTES);
      expect(loaded.filter((address) => address.includes("/assets/operations"))).toEqual([]);
    }
    const paints = loads.map(({ paintMs }) => paintMs).toSorted((a, b) => a - b);
    const [median = 0, worst = 0] = [paints[COLD_LOADS / 2], paints.at(-1)];
    process.stderr.write(
      `First contentful paint of the shop: median ${Math.round(median)} ms, worst ${Math.round(worst)} ms ` +
        `of ${COLD_LOADS} cold loads; ${loads[0]?.scriptBytes} bytes of scripts were sent before it.\n`,
    );
  });
}

type ColdLoad = {
  /** From the start of the navigation, in milliseconds. */
  paintMs: number;
  /** As they were sent, of the scripts that were asked for before the first paint. */
  scriptBytes: number;
  /** The addresses of everything that the page loaded. */
  loaded: string[];
};

/** Runs in the page. */
async function readColdLoad(): Promise<ColdLoad> {
  const paintMs = await new Promise<number>((resolve) => {
    new PerformanceObserver((list) => {
      const [paint] = list.getEntriesByName("first-contentful-paint");
      if (paint !== undefined) resolve(paint.startTime);
    }).observe({ type: "paint", buffered: true });
  });
  const files = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
  const scripts = files.filter(({ name, startTime }) => name.endsWith(".js") && startTime < paintMs);
  return {
    paintMs,
    scriptBytes: scripts.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
    loaded: files.map(({ name }) => name),
  };
}
