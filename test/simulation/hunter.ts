/**
 * A process that looks for known bugs, one after the other, and lives through the seeds that found them without any
 * bug, too. It sends what came of each seed to the process that forked it.
 */
import { knownBug } from "./known-bugs/all.ts";
import { importWithBug } from "./known-bugs/put-back.ts";
import type { Simulation } from "./simulate.ts";
import type { Hunt, Hunted } from "./workers.ts";

const [serverUrl = "", hunt = ""] = process.argv.slice(2);

const { bugs, from, finds, within } = JSON.parse(hunt) as Hunt;
const foundBy = new Set<number>();

const tell = ({ seed, violations, differences }: Simulation, bug: string | null) =>
  process.send?.({ bug, seed, violations, differences } satisfies Hunted);

for (const bug of bugs.map(knownBug)) {
  const { run } = await importWithBug<typeof import("./run.ts")>("test/simulation/run.ts", bug);
  const first = from ?? bug.foundBy;
  const seeds = Array.from({ length: finds * within }, (_, index) => first + index);
  let found = 0;
  let tried = 0;
  await run(serverUrl, { seeds, replay: "violated" }, (simulation) => {
    tell(simulation, bug.name);
    tried++;
    if (simulation.violations.length > 0) {
      foundBy.add(simulation.seed);
      found++;
      tried = 0;
    }
    return found < finds && tried < within;
  });
}
const { run } = await import("./run.ts");
await run(serverUrl, { seeds: [...foundBy], replay: "none" }, (simulation) => {
  tell(simulation, null);
  return true;
});
process.disconnect();
