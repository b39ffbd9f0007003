import { expect, inject, test } from "vitest";
import { KNOWN_BUGS } from "./known-bugs/all.ts";
import { differences } from "./run.ts";
import type { Simulation } from "./simulate.ts";
import { runInWorker } from "./workers.ts";

const SEED = 4711;

/** Within so many schedules a bug is found. */
const WITHIN = 100;

const TIMEOUT_MS = 300_000;

/** Lives through seeds in a process and a database of their own. @returns the first that one looks for */
async function live(
  seeds: readonly number[],
  isWanted: (simulation: Simulation) => boolean,
  bug?: string,
): Promise<Simulation> {
  let found: Simulation | undefined;
  const onResult = (simulation: Simulation) => {
    if (isWanted(simulation)) found = simulation;
    return found === undefined;
  };
  await runInWorker(inject("ownerUrl"), { seeds, replay: "none" }, onResult, bug);
  if (found === undefined) throw new Error(`none of ${seeds.length} schedules is what one looks for`);
  return found;
}

const isOf = (wanted: number) => (simulation: Simulation) => simulation.seed === wanted;

test("a seed tells the same story in another process, whatever that has lived through before", {
  timeout: TIMEOUT_MS,
}, async () => {
  const [alone, after] = await Promise.all([live([SEED], isOf(SEED)), live([SEED + 1, SEED], isOf(SEED))]);
  expect(alone.violations).toEqual([]);
  expect(alone.trace.length).toBeGreaterThan(100);
  expect(differences(alone, after)).toEqual([]);
});

test("a seed that finds a bug finds it again, by the same story", { timeout: TIMEOUT_MS }, async () => {
  const [bug] = KNOWN_BUGS;
  if (bug === undefined) throw new Error("there are known bugs");
  const seeds = Array.from({ length: WITHIN }, (_, index) => bug.foundBy + index);
  const found = await live(seeds, ({ violations }) => violations.length > 0, bug.name);
  const again = await live([found.seed + 1, found.seed], isOf(found.seed), bug.name);
  expect(again.violations).not.toEqual([]);
  expect(differences(found, again)).toEqual([]);
});
