import { KNOWN_BUGS } from "../../simulation/known-bugs/all.ts";
import { type Hunted, huntInWorker } from "../../simulation/workers.ts";
import type { Finding, Property, Size } from "../property.ts";

/** How often each bug has to be found, within how many schedules each time, and in how many processes. */
const SIZES: Record<Size, { finds: number; within: number; processes: number }> = {
  full: { finds: 5, within: 500, processes: 2 },
  short: { finds: 1, within: 300, processes: 1 },
};

/** It takes so long that one wants to know how far it is. */
const TELL_EVERY = 50;

export const knownBugs: Property = {
  name: "known-bugs",
  says: "bugs that are put back into the product are found, by schedules in which the product itself does nothing wrong",
  async prove({ office, random, size }): Promise<Finding> {
    const { finds, within, processes } = SIZES[size];
    // In the short form each bug is looked for where it was found before.
    const from = size === "full" ? random.int(1, 1_000_000_000) : null;
    const hunted: Hunted[] = [];
    const hunt = (process: number) => {
      const bugs = KNOWN_BUGS.filter((_, index) => index % processes === process).map(({ name }) => name);
      return huntInWorker(office.ownerUrl, { bugs, from, finds, within }, (one) => {
        hunted.push(one);
        if (size === "full" && hunted.length % TELL_EVERY === 0)
          console.error(`${hunted.length} schedules tried`);
      });
    };
    await Promise.all(Array.from({ length: processes }, (_, process) => hunt(process)));

    const notes: string[] = [];
    const violations: string[] = [];
    let found = 0;
    for (const { name } of KNOWN_BUGS) {
      const own = hunted.filter(({ bug }) => bug === name);
      const seen = findsIn(own);
      found += seen.length;
      notes.push(...seen.map((find) => `${name} was found by ${find}`));
      if (seen.length < finds)
        violations.push(`${name} was found ${seen.length} times in ${own.length} schedules`);
    }
    for (const { bug, seed, ...one } of hunted) {
      const wrong = bug === null ? one.violations : one.differences;
      violations.push(...wrong.map((violation) => `schedule ${seed} with ${bug ?? "no bug"}: ${violation}`));
    }
    const sound = hunted.filter(({ bug }) => bug === null).length;
    const counts = {
      bugs: KNOWN_BUGS.length,
      found,
      schedules: hunted.length - sound,
      "without a bug": sound,
    };
    return { counts, violations, notes };
  },
};

/** By which schedules a bug was found, after how many since the one before, and by what. */
function findsIn(hunted: readonly Hunted[]): string[] {
  const finds: string[] = [];
  let last = -1;
  for (const [index, { seed, violations }] of hunted.entries()) {
    if (violations.length === 0) continue;
    finds.push(`schedule ${seed}, after ${index - last} tried: ${violations[0]}`);
    last = index;
  }
  return finds;
}
