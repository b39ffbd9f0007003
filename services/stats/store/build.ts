import type { Database } from "@boxoffice/platform/database.ts";
import type { Changes } from "../domain/changes.ts";
import { applyTo, newestOf } from "./apply.ts";
import { lockProgress } from "./progress.ts";

/** Readers that began before another generation was shown are gone after this. */
const CLEAR_AFTER_SECONDS = 60;

/**
 * Empties the generation that is not shown and builds it from now on: whatever is counted is counted there too. A
 * build that was left unfinished is dropped.
 *
 * @returns false while readers may still be at what is to be emptied
 */
export function beginBuild(database: Database, buildId: string): Promise<boolean> {
  return database.transaction(async (tx) => {
    await lockProgress(tx);
    const [row] = await tx.query<{ is_read: boolean }>({
      text: "select coalesce(clear_after > stats.clock(), false) as is_read from stats.progress",
    });
    if (row?.is_read) return false;
    tx.write({ text: "update stats.progress set building = null, build_id = null" });
    tx.write({ text: "select stats.clear_idle()" });
    tx.write({
      text: "update stats.progress set building = 1 - generation, build_id = $1",
      values: [buildId],
    });
    return true;
  });
}

/**
 * Counts changes in the generation that is being built, and nowhere else.
 *
 * @returns false where it is not this build any more that goes on
 */
export function applyToBuild(database: Database, buildId: string, changes: Changes): Promise<boolean> {
  const arrived = newestOf(changes);
  return database.transaction(async (tx) => {
    const progress = await lockProgress(tx);
    if (progress.buildId !== buildId || progress.building === null) return false;
    await applyTo(tx, progress.building, arrived);
    return true;
  });
}

/** Shows what was built in place of what was shown. @returns false where it is not this build any more that goes on */
export function showBuild(database: Database, buildId: string): Promise<boolean> {
  return database.transaction(async (tx) => {
    const rows = await tx.query({
      text: `
        update stats.progress
        set generation = building, building = null, build_id = null, revision = revision + 1,
            clear_after = stats.clock() + make_interval(secs => $2)
        where build_id = $1
        returning 1`,
      values: [buildId, CLEAR_AFTER_SECONDS],
    });
    return rows.length > 0;
  });
}

/** Ends a build without showing it. What there is of it is emptied soon. */
export async function dropBuild(database: Database, buildId: string): Promise<void> {
  await database.query({
    text: `
      update stats.progress set building = null, build_id = null, clear_after = stats.clock()
      where build_id = $1`,
    values: [buildId],
  });
}

/** Empties what nobody reads any more. */
export async function clearIdle(database: Database): Promise<void> {
  await database.transaction(async (tx) => {
    await lockProgress(tx);
    await tx.query({
      text: `
        select stats.clear_idle() from stats.progress
        where building is null and clear_after <= stats.clock()`,
    });
  });
}
