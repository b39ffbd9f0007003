import { expect, test } from "vitest";
import type { World } from "./world.ts";

/** So many have never been here before. */
const COLD_LOADS = 10;

/** What the first page of the shop may load of scripts until it stands, as it was sent. */
const BUDGET_BYTES = 120 * 1000;

/** What whoever comes for the first time loads, and waits for. */
export function firstPaintTests(world: () => World): void {
  test("the first page loads little before it stands, and nothing of the operations pages", async (context) => {
    const loads: ColdLoad[] = [];
    for (let load = 0; load < COLD_LOADS; load++) {
      const { page } = await world().arrive(context);
      await page.addInitScript(noteHeading);
      await page.goto("/");
      await page.getByRole("heading", { level: 1 }).waitFor();
      loads.push(await page.evaluate(readColdLoad));
    }
    for (const { scriptBytes, loaded } of loads) {
      expect(scriptBytes).toBeGreaterThan(0);
      expect(scriptBytes).toBeLessThanOrEqual(BUDGET_BYTES);
      expect(loaded.filter((address) => address.includes("/assets/operations"))).toEqual([]);
    }
    process.stderr.write(
      `${COLD_LOADS} cold loads of the shop: first contentful paint ${told(loads.map(({ paintMs }) => paintMs))}, ` +
        `heading ${told(loads.map(({ headingMs }) => headingMs))}; ` +
        `${loads[0]?.scriptBytes} bytes of scripts were sent until then.\n`,
    );
  });
}

type ColdLoad = {
  /** From the start of the navigation, in milliseconds. */
  paintMs: number;
  /** When the page that was asked for stood, by the same clock. */
  headingMs: number;
  /** As they were sent, of the scripts that were asked for before that. */
  scriptBytes: number;
  /** The addresses of everything that the page loaded. */
  loaded: string[];
};

/** Milliseconds, for people. */
function told(values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b).map((ms) => `${Math.round(ms)} ms`);
  return `median ${sorted[Math.floor(sorted.length / 2)]}, worst ${sorted.at(-1)}`;
}

/** Runs in the page, before anything else. */
function noteHeading(): void {
  const watch = new MutationObserver(() => {
    if (document.querySelector("h1") === null) return;
    document.documentElement.dataset.headingMs = String(performance.now());
    watch.disconnect();
  });
  watch.observe(document, { subtree: true, childList: true });
}

/** Runs in the page. */
async function readColdLoad(): Promise<ColdLoad> {
  const paintMs = await new Promise<number>((resolve) => {
    new PerformanceObserver((list) => {
      const [paint] = list.getEntriesByName("first-contentful-paint");
      if (paint !== undefined) resolve(paint.startTime);
    }).observe({ type: "paint", buffered: true });
  });
  const headingMs = Number(document.documentElement.dataset.headingMs);
  const files = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
  const scripts = files.filter(({ name, startTime }) => name.endsWith(".js") && startTime < headingMs);
  return {
    paintMs,
    headingMs,
    scriptBytes: scripts.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
    loaded: files.map(({ name }) => name),
  };
}
