import { KNOWN_BUGS } from "../../simulation/known-bugs/all.ts";
import type { KnownBug } from "../../simulation/known-bugs/known-bug.ts";
import type { Simulation } from "../../simulation/simulate.ts";
import { runInWorker } from "../../simulation/workers.ts";
import type { Finding, Property, Size } from "../property.ts";

/** How often each bug has to be found, and within how many schedules each time. */
const SIZES: Record<Size, { finds: number; within: number }> = {
  full: { finds: 5, within: 500 },
  short: { finds: 1, within: 100 },
};

/** How many bugs are looked for at a time. */
const PROCESSES = 2;

/** A seed that has found a bug, the schedules that were tried for it, and the first that was wrong in it. */
type Find = { seed: number; tried: number; violation: string };

export const knownBugs: Property = {
  name: "known-bugs",
  says: "bugs that are put back into the product are found, by schedules in which the product itself does nothing wrong",
  async prove({ office, random, size }): Promise<Finding> {
    const { finds, within } = SIZES[size];
    const first = random.int(1, 1_000_000_000);
    const counts = { bugs: KNOWN_BUGS.length, found: 0, schedules: 0 };
    const notes: string[] = [];
    const violations: string[] = [];
    const foundBy = new Set<number>();

    const look = async (bug: KnownBug, from: number): Promise<Find[]> => {
      const found: Find[] = [];
      let tried = 0;
      const onResult = ({ seed, differences, violations: [violation] }: Simulation) => {
        counts.schedules++;
        tried++;
        violations.push(...differences.map((difference) => `${bug.name}, schedule ${seed}: ${difference}`));
        if (violation !== undefined) {
          found.push({ seed, tried, violation });
          tried = 0;
        }
        return found.length < finds && tried < within;
      };
      const seeds = Array.from({ length: finds * within }, (_, index) => from + index);
      await runInWorker(office.ownerUrl, { seeds, replay: "violated" }, onResult, bug.name);
      return found;
    };

    const judge = async (bug: KnownBug) => {
      const found = await look(bug, size === "short" ? bug.foundBy : first);
      counts.found += found.length;
      for (const { seed, tried, violation } of found) {
        foundBy.add(seed);
        notes.push(`${bug.name} was found by schedule ${seed}, the ${ordinal(tried)}: ${violation}`);
      }
      if (found.length < finds)
        violations.push(`${bug.name} was found ${found.length} times, and then not in ${within} schedules`);
    };
    const left = [...KNOWN_BUGS];
    const process = async () => {
      for (let bug = left.shift(); bug !== undefined; bug = left.shift()) await judge(bug);
    };
    await Promise.all(Array.from({ length: PROCESSES }, process));
    const sound = ({ seed, violations: wrong }: Simulation) => {
      violations.push(...wrong.map((violation) => `schedule ${seed} without any bug: ${violation}`));
      return true;
    };
    await runInWorker(office.ownerUrl, { seeds: [...foundBy], replay: "violated" }, sound);
    return { counts, violations, notes };
  },
};

const ordinal = (n: number): string => {
  const last = n % 100 > 10 && n % 100 < 14 ? 0 : n % 10;
  return `${n}${["th", "st", "nd", "rd"][last] ?? "th"}`;
};
