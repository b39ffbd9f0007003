/** A process that lives through seeds and sends what came of each to the process that forked it. */
import { run } from "./run.ts";

const [serverUrl = "", from, count, replayEvery] = process.argv.slice(2);

await run(
  serverUrl,
  { from: Number(from), count: Number(count), replayEvery: Number(replayEvery) },
  ({ seed, violations, counts, trace }) => {
    process.send?.({ seed, violations, counts, trace: violations.length > 0 ? trace : [] });
    return true;
  },
);
process.disconnect();
