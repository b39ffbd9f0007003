import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "@boxoffice/platform/database.ts";
import type { Random } from "./random.ts";

/**
 * Ends the connections of one service to the database of `database`, whatever they are doing.
 *
 * @param share from 0 to 1: the chance of each to be ended
 * @returns how many were ended
 */
export async function terminateBackends(database: Database, service: string, share = 1): Promise<number> {
  const rows = await database.query({
    text: `
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = $1 and random() < $2`,
    values: [service, share],
  });
  return rows.length;
}

/** Ends connections again and again until `signal` aborts. @returns how many */
export async function terminationStorm(
  database: Database,
  service: string,
  random: Random,
  signal: AbortSignal,
): Promise<number> {
  let ended = 0;
  while (!signal.aborted) {
    ended += await terminateBackends(database, service, 0.5);
    await delay(random.int(20, 200), undefined, { signal }).catch(() => {});
  }
  return ended;
}
