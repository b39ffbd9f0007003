import { setTimeout as delay } from "node:timers/promises";
import { type Fault, pause } from "../fault.ts";

const MINUTES = 10;
const FOR_MS = { full: 6_000, short: 1_000 };
const BETWEEN_MS = { full: [500, 1_500], short: [0, 200] } as const;

/** The clock jumps while the process runs; and it is wrong already when a process starts. */
export const wrongClock: Fault = {
  name: "wrong-clock",
  does: "the clock of one process after the other jumps by 10 min, ahead or back, and then home; one is started with it",
  seconds: { full: 170, short: 6 },
  backWithinMs: 10_000,
  async inflict({ site, random, size, mark }) {
    const { replicas } = site.arrangement;
    const labels = size === "full" ? random.shuffle([...replicas.keys()]) : ["payment 1"];
    let starts = 0;
    for (const label of labels) {
      const isAhead = random.chance(0.5);
      for (const sign of isAhead ? [1, -1] : [-1, 1]) {
        mark();
        site.shiftClock(label, sign * MINUTES * 60_000);
        await delay(FOR_MS[size]);
      }
      if (random.chance(0.5)) {
        await replicas.get(label)?.stop();
        await replicas.get(label)?.start();
        starts++;
        await delay(FOR_MS[size]);
      }
      mark();
      site.shiftClock(label, 0);
      await pause(random, BETWEEN_MS[size]);
    }
    return { clocks: labels.length, jumps: labels.length * 3, "started with a wrong clock": starts };
  },
};
