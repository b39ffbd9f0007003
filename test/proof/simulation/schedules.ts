import type { Simulation } from "../../simulation/simulate.ts";
import { runInWorker } from "../../simulation/workers.ts";
import type { Finding, Property, Size } from "../property.ts";

/**
 * How many schedules, in how many processes, and after how long no more are begun: on a busy machine a test run is
 * content with fewer. A process has a share of them, and then makes room for another.
 */
const SIZES: Record<Size, { seeds: number; processes: number; share: number; untilMs: number }> = {
  full: { seeds: 10_000, processes: 2, share: 500, untilMs: Number.POSITIVE_INFINITY },
  short: { seeds: 300, processes: 1, share: 300, untilMs: 20_000 },
};

/** Schedules that went wrong, of which no more are looked for. */
const ENOUGH = 5;

/** It takes so long that one wants to know how far it is. */
const TELL_EVERY = 500;

export const schedules: Property = {
  name: "schedules",
  says: "whatever the order of statements, timers and calls, and whatever dies, nothing is oversold or charged twice, and the same seed does the same",
  async prove({ office, random, size }): Promise<Finding> {
    const { seeds, processes, share, untilMs } = SIZES[size];
    const first = random.int(1, 1_000_000_000);
    const startedAtMs = performance.now();
    const counts: Record<string, number> = { schedules: 0 };
    const violations: string[] = [];
    const isOver = () => violations.length >= ENOUGH || performance.now() - startedAtMs > untilMs;
    const onResult = (simulation: Simulation) => {
      counts.schedules = (counts.schedules ?? 0) + 1;
      for (const [what, count] of Object.entries(simulation.counts))
        counts[what] = (counts[what] ?? 0) + count;
      const found = [...simulation.violations, ...simulation.differences].map(
        (violation) => `schedule ${simulation.seed}: ${violation}`,
      );
      for (const violation of found) console.error(violation);
      violations.push(...found);
      if (size === "full" && counts.schedules % TELL_EVERY === 0)
        console.error(`${counts.schedules} of ${seeds} schedules, violations ${violations.length}`);
      return !isOver();
    };
    let next = first;
    const process = async () => {
      while (next < first + seeds && !isOver()) {
        const from = next;
        next += share;
        const seeds = Array.from({ length: share }, (_, index) => from + index);
        await runInWorker(office.ownerUrl, { seeds, replay: "some" }, onResult);
      }
    };
    await Promise.all(Array.from({ length: processes }, process));
    if (violations.length > 0)
      violations.push("npm run simulate -- NUMBER tells all that happens in a schedule");
    return { counts, violations };
  },
};
