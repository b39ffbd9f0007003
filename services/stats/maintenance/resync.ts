import { sizeOf } from "../domain/changes.ts";
import { readSources } from "../sources.ts";
import { applyChanges } from "../store/apply.ts";
import type { Found, TaskContext } from "./task.ts";

/**
 * Counts whatever the other services have that is not counted yet. What was committed before it began is read, and
 * what is committed later is announced to the stream that is followed now, so that nothing is left out; and what
 * comes both ways counts once, as always.
 */
export async function resync({ database, sources, signal, progress }: TaskContext): Promise<Found> {
  let entities = 0;
  for await (const changes of readSources(sources, signal)) {
    await applyChanges(database, changes);
    entities += sizeOf(changes);
    await progress(entities);
  }
  return { entities, differences: [], differenceCount: 0 };
}
