import { sizeOf } from "../domain/changes.ts";
import { readSources } from "../sources.ts";
import { applyToBuild, beginBuild, dropBuild, showBuild } from "../store/build.ts";
import { type Found, TakenOver, type TaskContext } from "./task.ts";

const WAIT_MS = 1_000;

/**
 * Counts everything that the other services have into the generation that is not shown, while messages are counted in
 * both, and then shows it instead. Whatever was counted before and is nowhere any more is gone then.
 */
export async function rebuild(context: TaskContext): Promise<Found> {
  const { database, sources, runtime, run, signal, progress } = context;
  const buildId = run.runId;
  while (!(await beginBuild(database, buildId))) {
    await progress(0);
    await runtime.sleep(WAIT_MS, signal);
    signal.throwIfAborted();
  }
  try {
    let entities = 0;
    for await (const changes of readSources(sources, signal)) {
      if (!(await applyToBuild(database, buildId, changes))) throw new TakenOver();
      entities += sizeOf(changes);
      await progress(entities);
    }
    if (!(await showBuild(database, buildId))) throw new TakenOver();
    return { entities, differences: [], differenceCount: 0 };
  } catch (error) {
    await dropBuild(database, buildId);
    throw error;
  }
}
