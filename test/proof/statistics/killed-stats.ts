import { setTimeout as delay } from "node:timers/promises";
import type { Property } from "../property.ts";
import { saleViolations, sellDuring, untilExact, untilQuiet, worldOf } from "./world.ts";

const KILLS = { full: 50, short: 2 };
const SLOW_MS = 5_000;

/** The process that counts dies at any moment. */
export const killedStats: Property = {
  name: "killed stats",
  says: "with the process that counts killed 50 times at random during a sale, the statistics are exact",
  async prove({ office, random, size }) {
    const world = await worldOf(office);
    const { stats } = world;
    const sold = await sellDuring(world, random, async () => {
      for (let kill = 0; kill < KILLS[size]; kill++) {
        await delay(random.int(0, 1_000));
        await stats.process.kill();
        await stats.process.start();
      }
    });
    await untilQuiet(world, sold.eventIds);
    const { ms, violations } = await untilExact(world, sold.eventIds);
    return {
      counts: {
        kills: KILLS[size],
        "calls of the sale": sold.words.length,
        "exact after ms": Math.round(ms),
      },
      violations: [...violations, ...saleViolations(sold, SLOW_MS)],
    };
  },
};
