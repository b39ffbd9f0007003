import { fork } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../../local/config.ts";
import type { Seeds } from "./run.ts";
import type { Simulation } from "./simulate.ts";

/** What a process is to find. */
export type Hunt = {
  /** Known bugs, by their names. */
  bugs: readonly string[];
  /** The first seed that is tried for each; where it is null, one that has found the bug before. */
  from: number | null;
  /** How often each bug is to be found, and after how many seeds in vain it is given up. */
  finds: number;
  within: number;
};

/** What came of a seed with a known bug, or without any where it is null. */
export type Hunted = { bug: string | null } & Pick<Simulation, "seed" | "violations" | "differences">;

/** The process does not end by itself when nobody wants its results any more: it is killed. */
const KILL = "SIGKILL";

/**
 * Lives through seeds in a process of its own.
 *
 * @param onResult is told of each; where it returns false, no more are wanted
 * @param bug the name of a known bug that the product is to have; none unless given
 */
export function runInWorker(
  serverUrl: string,
  { seeds, replay }: Seeds,
  onResult: (simulation: Simulation) => boolean,
  bug = "",
): Promise<void> {
  return listenTo("worker.ts", [serverUrl, seeds.join(","), replay, bug], onResult);
}

/** Looks for known bugs in a process of its own. */
export function huntInWorker(
  serverUrl: string,
  hunt: Hunt,
  onResult: (hunted: Hunted) => void,
): Promise<void> {
  return listenTo<Hunted>("hunter.ts", [serverUrl, JSON.stringify(hunt)], (hunted) => {
    onResult(hunted);
    return true;
  });
}

function listenTo<Message>(
  file: string,
  args: string[],
  onMessage: (message: Message) => boolean,
): Promise<void> {
  const worker = fork(join(ROOT, "test", "simulation", file), args);
  return new Promise((resolve, reject) => {
    let isOver = false;
    worker.on("message", (message) => {
      if (isOver || onMessage(message as Message)) return;
      isOver = true;
      worker.kill(KILL);
    });
    worker.on("error", reject);
    worker.on("exit", (code) => {
      if (isOver || code === 0) resolve();
      else reject(new Error(`${file} ended with ${code}, of: ${args.slice(1).join(" ").slice(0, 100)}`));
    });
  });
}
