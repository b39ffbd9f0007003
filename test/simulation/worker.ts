/** A process that lives through seeds and sends what came of each to the process that forked it. */
import { knownBug } from "./known-bugs/all.ts";
import { putBack } from "./known-bugs/put-back.ts";
import type { Replay } from "./run.ts";

const [serverUrl = "", seeds = "", replay, bug = ""] = process.argv.slice(2);

const confirm = bug === "" ? () => {} : putBack(knownBug(bug));
const { run } = await import("./run.ts");
confirm();
await run(serverUrl, { seeds: seeds.split(",").map(Number), replay: replay as Replay }, (simulation) => {
  process.send?.(simulation);
  return true;
});
process.disconnect();
