import { setTimeout as delay } from "node:timers/promises";
import type { Property } from "../property.ts";
import { saleViolations, sellDuring, untilExact, untilQuiet, worldOf } from "./world.ts";

const TIMES = { full: 5, short: 1 };
const BETWEEN_MS = { full: 4_000, short: 500 };
const SLOW_MS = 5_000;

/** The stream is deleted during a sale, and NATS loses its disk. What was announced and not counted yet is gone. */
export const lostStream: Property = {
  name: "lost stream",
  says: "with the stream deleted and the disk of NATS wiped during a sale, the statistics are exact again within 60 s",
  async prove({ office, random, size }) {
    const world = await worldOf(office);
    const { nats, stats } = world;
    const pause = () => delay(random.int(BETWEEN_MS[size] / 2, BETWEEN_MS[size]));
    const sold = await sellDuring(world, random, async () => {
      for (let time = 0; time < TIMES[size]; time++) {
        await pause();
        await loseWhile(() => nats.deleteStream("BOXOFFICE"));
        await pause();
        await loseWhile(async () => {
          await nats.kill();
          nats.wipe();
          await nats.start();
        });
        await pause();
      }
    });
    // Nobody counts for a moment, so that messages are lost for certain.
    async function loseWhile(lose: () => Promise<void>): Promise<void> {
      stats.process.freeze();
      try {
        await delay(300);
        await lose();
      } finally {
        stats.process.thaw();
      }
    }
    const lastLossAtMs = performance.now();
    await untilQuiet(world, sold.eventIds);
    const { violations } = await untilExact(world, sold.eventIds);
    return {
      counts: {
        "streams deleted": TIMES[size],
        "disks wiped": TIMES[size],
        "calls of the sale": sold.words.length,
        "exact after ms": Math.round(performance.now() - lastLossAtMs),
      },
      violations: [...violations, ...saleViolations(sold, SLOW_MS)],
    };
  },
};
