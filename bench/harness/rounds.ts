import { availableParallelism } from "node:os";
import type { Bench } from "../mode.ts";
import type { BoxOffice } from "./box-office.ts";
import { catchUp, settle } from "./counts.ts";
import { cpuPerUnit, explainLimit } from "./limits.ts";
import { median } from "./numbers.ts";
import type { Program } from "./program.ts";
import { measureWindow, type Window } from "./window.ts";

/** Something whose rate is measured in turn with that of others. */
export type Contender = {
  /** Where it runs; the bench's box office unless told. */
  box?: BoxOffice;
  start(): Program;
  /** What was done in a window. */
  count(window: Window): Promise<Work>;
  /** What went wrong, by what the program printed at its end. */
  troubleIn(printed: string): string[];
};

/** So much was done, and by so many at a time where that is known. */
export type Work = { units: number; perTransaction?: number };

export type Run = {
  window: Window;
  work: Work;
  perSecond: number;
  /** How long the statistics took to count the rest. */
  caughtUpSeconds: number;
  trouble: string[];
};

/** Measures each in turn, round after round, so that the machine's moods meet all of them alike. */
export async function alternate<Name extends string>(
  { box, pace, tell }: Bench,
  contenders: Record<Name, Contender>,
): Promise<Record<Name, Run[]>> {
  const names = Object.keys(contenders) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, [] as Run[]])) as Record<Name, Run[]>;
  for (let round = 1; round <= pace.runs; round++) {
    for (const name of names) {
      const { box: place = box, start, count, troubleIn } = contenders[name];
      await settle(place);
      const window = await measureWindow(place, pace, start());
      const caughtUpSeconds = await catchUp(place);
      const work = await count(window);
      const perSecond = work.units / window.seconds;
      tell(`round ${round} of ${pace.runs}: ${name} ${Math.round(perSecond)}/s`);
      results[name].push({ window, work, perSecond, caughtUpSeconds, trouble: troubleIn(window.printed) });
    }
  }
  return results;
}

/** Of the run in the middle: what one unit cost whom, and what there was no more of. */
export function explain(name: string, unit: string, runs: readonly Run[]): string[] {
  const middle = median(runs.map(({ perSecond }) => perSecond));
  const [run] = runs.toSorted((a, b) => Math.abs(a.perSecond - middle) - Math.abs(b.perSecond - middle));
  if (run === undefined) return [];
  const { window, work } = run;
  const cpu = cpuPerUnit(window, work.units).map(({ part, us }) => `${part} ${us.toFixed(1)}`);
  const behind = Math.max(...runs.map(({ caughtUpSeconds }) => caughtUpSeconds));
  const trouble = runs.flatMap((one) => one.trouble);
  return [
    `${name}: CPU µs for each ${unit}: ${cpu.join(", ")}`,
    `${name}: ${explainLimit(window, availableParallelism())}`,
    ...(work.perTransaction === undefined
      ? []
      : [
          `${name}: ${work.perTransaction.toFixed(1)} of an event a transaction; the statistics had counted all ` +
            `at most ${behind.toFixed(1)} s after the load`,
        ]),
    ...(trouble.length === 0 ? [] : [`${name}: TROUBLE: ${[...new Set(trouble)].join(", ")}`]),
  ];
}
