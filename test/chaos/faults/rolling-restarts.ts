import { type Fault, pause } from "../fault.ts";

const BETWEEN_MS = { full: [500, 2_000], short: [0, 200] } as const;

/** Two copies, of which one serves at any time: nobody who buys may notice. */
export const rollingRestarts: Fault = {
  name: "rolling-restarts",
  does: "each of the processes is told to stop, and started again when it has, one after the other",
  seconds: { full: 60, short: 5 },
  backWithinMs: 10_000,
  async inflict({ site, random, size, mark }) {
    const { replicas } = site.arrangement;
    const names = size === "full" ? random.shuffle([...replicas.keys()]) : ["gateway 1", "reservation 1"];
    for (const name of names) {
      mark();
      await replicas.get(name)?.stop();
      await replicas.get(name)?.start();
      await pause(random, BETWEEN_MS[size]);
    }
    return { restarts: names.length };
  },
};
