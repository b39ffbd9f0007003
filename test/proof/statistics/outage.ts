import { setTimeout as delay } from "node:timers/promises";
import type { Property } from "../property.ts";
import { saleViolations, sellDuring, untilExact, untilQuiet, worldOf } from "./world.ts";

const DOWN_MS = { full: 30_000, short: 1_500 };
const AROUND_MS = { full: 5_000, short: 500 };

/** A sale that waited for NATS would wait as long as a message does to be acknowledged. */
const SLOW_MS = 5_000;

/** NATS is killed during a sale and stays away for a while. */
export const outage: Property = {
  name: "outage",
  says: "with NATS killed for 30 s during a sale, selling goes on, and the statistics are exact within 60 s of its return",
  async prove({ office, random, size }) {
    const world = await worldOf(office);
    const { nats } = world;
    let back = 0;
    const sold = await sellDuring(world, random, async () => {
      await delay(AROUND_MS[size]);
      await nats.kill();
      await delay(DOWN_MS[size]);
      await nats.start();
      back = performance.now();
      await delay(AROUND_MS[size]);
    });
    await untilQuiet(world, sold.eventIds);
    const { violations } = await untilExact(world, sold.eventIds);
    const exactAfterMs = performance.now() - back;
    if (exactAfterMs > 60_000) violations.push(`exact only after ${Math.round(exactAfterMs)} ms`);
    return {
      counts: {
        "calls of the sale": sold.words.length,
        "slowest in ms": Math.round(sold.slowestMs),
        "exact after ms": Math.round(exactAfterMs),
      },
      violations: [...violations, ...saleViolations(sold, SLOW_MS)],
    };
  },
};
