/** A process that lives through seeds and sends what came of each to the process that forked it. */
import { knownBug } from "./known-bugs/all.ts";
import { importWithBug } from "./known-bugs/put-back.ts";
import type { Replay } from "./run.ts";

const [serverUrl = "", seeds = "", replay, bug = ""] = process.argv.slice(2);

const { run } =
  bug === ""
    ? await import("./run.ts")
    : await importWithBug<typeof import("./run.ts")>("test/simulation/run.ts", knownBug(bug));
await run(serverUrl, { seeds: seeds.split(",").map(Number), replay: replay as Replay }, (simulation) => {
  process.send?.(simulation);
  return true;
});
process.disconnect();
