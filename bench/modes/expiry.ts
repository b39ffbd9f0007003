import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { Event } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { BoxOffice } from "../harness/box-office.ts";
import { settle } from "../harness/counts.ts";
import { openSale } from "../harness/events.ts";
import { fillHolds } from "../harness/fill.ts";
import { cpuPerUnit, explainLimit } from "../harness/limits.ts";
import { type Window, watch } from "../harness/window.ts";
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
    const rounds: Return[] = [];
    for (let round = 1; round <= pace.runs; round++) {
      const found = await measureReturn(bench, holds, round);
      tell(`round ${round} of ${pace.runs}: all for sale again after ${found.seconds.toFixed(2)} s`);
      rounds.push(found);
    }
    const [first] = rounds;
    if (first === undefined) throw new Error("there is at least one round");
    const cpu = cpuPerUnit(first.window, holds).map(({ part, us }) => `${part} ${us.toFixed(1)}`);
    return {
      figures: [
        {
          what: `${holds.toLocaleString("en")} holds that end within a second: all for sale again after`,
          values: rounds.map(({ seconds }) => seconds),
          unit: "s",
          target: { first: 5, goal: 2, atMost: true },
        },
      ],
      notes: [
        "From the end of the last hold until none of the tickets is booked as held, by the database's clock. Buyers " +
          "and readers count them as available at once; this is how long the sweeper takes to book them so.",
        `CPU µs for each hold, in the first round: ${cpu.join(", ")}`,
        explainLimit(first.window, availableParallelism()),
      ],
    };
  },
};

type Return = { seconds: number; window: Omit<Window, "printed"> };

async function measureReturn({ box, pace }: Bench, holds: number, round: number): Promise<Return> {
  const event = await openSale(box, `Expiry ${round}`, 1);
  const inMs = pace.isQuick ? QUICK_FIRST_ENDS_IN_MS : FIRST_ENDS_IN_MS;
  const firstEndsAt = new Date(Date.now() + inMs);
  await fillHolds(box, event, holds, { firstEndsAt, withinMs: WITHIN_MS });
  await settle(box);
  const leftMs = firstEndsAt.getTime() - Date.now();
  if (leftMs < 0) throw new Error("the first hold ended before the last was written");
  await delay(leftMs);
  const window = await watch(box, () => comeBack(box, event));
  box.windows.push({ ...window, printed: "" });
  return { seconds: (window.until.getTime() - firstEndsAt.getTime() - WITHIN_MS) / 1_000, window };
}

async function comeBack({ database }: BoxOffice, { ticketTypes: [type] }: Event): Promise<void> {
  for (const limitMs = performance.now() + LIMIT_MS; ; ) {
    const [stock] = await database.query<{ held: number }>({
      text: "select held from reservation.ticket_types where ticket_type_id = $1",
      values: [type?.ticketTypeId],
    });
    if (stock?.held === 0) return;
    if (performance.now() > limitMs) throw new Error(`${stock?.held} tickets do not come back`);
    await delay(POLL_MS);
  }
}
