import { setTimeout as delay } from "node:timers/promises";
import { settle } from "../harness/counts.ts";
import { openSale } from "../harness/events.ts";
import { fillHolds } from "../harness/fill.ts";
import type { Bench, Mode } from "../mode.ts";

const HOLDS = 100_000;
const QUICK_HOLDS = 5_000;

/** All of them end within this time. */
const WITHIN_MS = 1_000;

/** The holds have to be written before the first of them ends. */
const FIRST_ENDS_IN_MS = 30_000;
const QUICK_FIRST_ENDS_IN_MS = 5_000;
const POLL_MS = 20;
const LIMIT_MS = 5 * 60_000;

/** How soon the tickets of holds that nobody paid are for sale again. */
export const expiry: Mode = {
  name: "expiry",
  summary: "When the tickets of 100,000 holds that end within one second are for sale again",
  tools: [],
  async run(bench) {
    const { pace, tell } = bench;
    const holds = pace.isQuick ? QUICK_HOLDS : HOLDS;
    const seconds: number[] = [];
    for (let round = 1; round <= pace.runs; round++) {
      const took = await secondsToReturn(bench, holds, round);
      tell(`round ${round} of ${pace.runs}: all for sale again after ${took.toFixed(2)} s`);
      seconds.push(took);
    }
    return {
      figures: [
        {
          what: `${holds.toLocaleString("en")} holds that end within a second: all for sale again after`,
          values: seconds,
          unit: "s",
          target: { first: 5, goal: 2, atMost: true },
        },
      ],
      notes: [
        "From the end of the last hold until none of the tickets is booked as held, by the database's clock. Buyers " +
          "and readers count them as available at once; this is how long the sweeper takes to book them so.",
      ],
    };
  },
};

async function secondsToReturn({ box, pace }: Bench, holds: number, round: number): Promise<number> {
  const event = await openSale(box, `Expiry ${round}`, 1);
  const inMs = pace.isQuick ? QUICK_FIRST_ENDS_IN_MS : FIRST_ENDS_IN_MS;
  const firstEndsAt = new Date(Date.now() + inMs);
  await fillHolds(box, event, holds, { firstEndsAt, withinMs: WITHIN_MS });
  await settle(box);
  if (Date.now() > firstEndsAt.getTime()) throw new Error("the first hold ended before the last was written");
  const lastEndsAtMs = firstEndsAt.getTime() + WITHIN_MS;
  await delay(lastEndsAtMs - Date.now());
  for (;;) {
    const [stock] = await box.database.query<{ held: number; now: Date }>({
      text: "select held, clock_timestamp() as now from reservation.ticket_types where ticket_type_id = $1",
      values: [event.ticketTypes[0]?.ticketTypeId],
    });
    if (stock === undefined) throw new Error("the ticket type is gone");
    const tookMs = stock.now.getTime() - lastEndsAtMs;
    if (stock.held === 0) return tookMs / 1_000;
    if (tookMs > LIMIT_MS) throw new Error(`${stock.held} tickets do not come back`);
    await delay(POLL_MS);
  }
}
