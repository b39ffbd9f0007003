import { setTimeout as delay } from "node:timers/promises";
import type { Fault } from "../fault.ts";

const TIMES = { full: 40, short: 4 };

export const slowDisk: Fault = {
  name: "slow-disk",
  does: "PostgreSQL's disk hangs for 50 ms to 1 s, again and again",
  needs: "a disk of its own",
  seconds: { full: 50, short: 5 },
  async inflict({ site: { disk }, random, size, mark }) {
    let hungMs = 0;
    for (let time = 0; time < TIMES[size]; time++) {
      const ms = random.int(50, random.chance(0.2) ? 1_000 : 300);
      await disk?.hang(ms);
      hungMs += ms;
      await delay(random.int(20, 500));
    }
    mark();
    return { hangs: TIMES[size], "ms hung": hungMs };
  },
};
