import { setTimeout as delay } from "node:timers/promises";
import type { BoxOffice } from "./box-office.ts";
import type { Window } from "./window.ts";

const CATCH_UP_LIMIT_MS = 10 * 60_000;
const POLL_MS = 100;

/** Counts reservations that were committed in a window, of the product or of a reference. */
export async function countReservations(
  { database }: Pick<BoxOffice, "database">,
  { from, until }: Pick<Window, "from" | "until">,
  schema: "reservation" | "bench",
): Promise<{ units: number; perTransaction: number }> {
  // All that one transaction made of an event has the same time.
  const [row] = await database.query<{ rows: bigint; moments: bigint }>({
    text: `
      select count(*) as rows, count(distinct (created_at, event_id)) as moments from ${schema}.reservations
      where created_at >= $1 and created_at < $2`,
    values: [from, until],
  });
  const units = Number(row?.rows ?? 0);
  return { units, perTransaction: units / Math.max(1, Number(row?.moments ?? 0)) };
}

/** Counts reservations that were paid in a window. */
export async function countPurchases(
  { database }: Pick<BoxOffice, "database">,
  { from, until }: Pick<Window, "from" | "until">,
): Promise<{ units: number }> {
  const [row] = await database.query<{ rows: bigint }>({
    text: "select count(*) as rows from reservation.reservations where paid_at >= $1 and paid_at < $2",
    values: [from, until],
  });
  return { units: Number(row?.rows ?? 0) };
}

/**
 * Waits until the statistics have counted every reservation there is, so that what one measurement put off does not
 * weigh on the next.
 *
 * @returns how long it took, in seconds
 */
export async function catchUp({ database, untold }: Pick<BoxOffice, "database" | "untold">): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const [row] = await database.query<{ made: bigint; counted: bigint }>({
      text: `
        select (select count(*) from reservation.reservations) - $1 as made,
          (select count(*) from stats.reservations) as counted`,
      values: [untold],
    });
    const { made, counted } = row ?? { made: 0n, counted: 0n };
    const waitedMs = performance.now() - startMs;
    if (counted >= made) return waitedMs / 1_000;
    if (waitedMs > CATCH_UP_LIMIT_MS)
      throw new Error(`the statistics do not catch up: ${counted} of ${made} reservations are counted`);
    await delay(POLL_MS);
  }
}

/** Every measurement begins with clean buffers, whoever dirtied them. */
export async function settle({ database }: Pick<BoxOffice, "database">): Promise<void> {
  await database.query({ text: "checkpoint" });
}
