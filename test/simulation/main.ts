/**
 * Lives through one seed again, and tells all that happened; with a known bug, if one is named:
 *
 *   npm run simulate -- 4711
 *   npm run simulate -- 4711 --bug clock-before-lock
 */
import { parseArgs } from "node:util";
import { startServers } from "../support/start-servers.ts";
import type { Simulation } from "./simulate.ts";
import { runInWorker } from "./workers.ts";

const { positionals, values } = parseArgs({ allowPositionals: true, options: { bug: { type: "string" } } });
const seed = Number(positionals[0]);
if (!Number.isInteger(seed)) {
  console.error("npm run simulate -- SEED: name a seed, as the proof of the simulation does.");
  process.exit(2);
}
const servers = await startServers();
try {
  const seeds = { seeds: [seed], replay: "all" } as const;
  const show = ({ trace, counts, ...simulation }: Simulation) => {
    console.log(trace.join("\n"));
    console.log(
      Object.entries(counts)
        .map(([what, count]) => `${what} ${count}`)
        .join(", "),
    );
    const violations = [...simulation.violations, ...simulation.differences];
    for (const violation of violations) console.log(`VIOLATION ${violation}`);
    if (violations.length > 0) process.exitCode = 1;
    return true;
  };
  await runInWorker(servers.ownerUrl, seeds, show, values.bug);
} finally {
  await servers.stop();
}
