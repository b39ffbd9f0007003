import { type Fault, pause } from "../fault.ts";

/** How often in all: each process in turn, in a new order each time. */
const KILLS = { full: 208, short: 1 };

/** For so long nobody starts it again. */
const AWAY_MS = { full: [0, 1_500], short: [0, 200] } as const;
/** Between a process that serves again and the next kill. */
const BETWEEN_MS = { full: [0, 2_500], short: [0, 200] } as const;

export const kills: Fault = {
  name: "kills",
  does: "each process is ended by kill -9 in turn, at random moments, and started again within 1.5 s",
  seconds: { full: 700, short: 6 },
  backWithinMs: 10_000,
  async inflict({ site, random, size, mark }) {
    const names = [...site.processes.keys()];
    let turns: string[] = [];
    const counts: Record<string, number> = {};
    for (let kill = 0; kill < KILLS[size]; kill++) {
      if (turns.length === 0) turns = size === "full" ? random.shuffle(names) : ["reservation 1"];
      const name = turns.shift() ?? "";
      const process = site.processes.get(name);
      await pause(random, BETWEEN_MS[size]);
      mark();
      await process?.kill();
      await pause(random, AWAY_MS[size]);
      await process?.start();
      const kind = name.split(" ")[0] ?? name;
      counts[`${kind} killed`] = (counts[`${kind} killed`] ?? 0) + 1;
    }
    return counts;
  },
};
