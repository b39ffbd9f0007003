import { fork } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../../local/config.ts";
import type { Seeds } from "./run.ts";
import type { Simulation } from "./simulate.ts";

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
  const args = [serverUrl, seeds.join(","), replay, bug];
  const worker = fork(join(ROOT, "test", "simulation", "worker.ts"), args);
  return new Promise((resolve, reject) => {
    let isOver = false;
    worker.on("message", (simulation) => {
      if (isOver || onResult(simulation as Simulation)) return;
      isOver = true;
      worker.kill(KILL);
    });
    worker.on("error", reject);
    worker.on("exit", (code) => {
      if (isOver || code === 0) resolve();
      else reject(new Error(`a worker that began with seed ${seeds[0]} ended with ${code}`));
    });
  });
}
