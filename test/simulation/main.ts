/**
 * Lives through one seed again, and tells all that happened:
 *
 *   npm run simulate -- 4711
 */
import { parseArgs } from "node:util";
import { startServers } from "../support/start-servers.ts";
import { run } from "./run.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const seed = Number(positionals[0]);
if (!Number.isInteger(seed)) {
  console.error("npm run simulate -- SEED: name a seed, as the proof of the simulation does.");
  process.exit(2);
}
const servers = await startServers();
try {
  await run(servers.ownerUrl, { from: seed, count: 1, replayEvery: 1 }, ({ trace, violations, counts }) => {
    console.log(trace.join("\n"));
    console.log(
      Object.entries(counts)
        .map(([what, count]) => `${what} ${count}`)
        .join(", "),
    );
    for (const violation of violations) console.log(`VIOLATION ${violation}`);
    if (violations.length > 0) process.exitCode = 1;
    return true;
  });
} finally {
  await servers.stop();
}
