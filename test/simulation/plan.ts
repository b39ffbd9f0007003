import type { Random } from "../faults/random.ts";

/** What is drawn before a simulation begins. Times are in milliseconds. */
export type Plan = {
  holdMs: number;
  payMarginMs: number;
  providerTimeoutMs: number;
  /** Whether the provider tells what became of a charge. */
  canLookUp: boolean;
  /** Of each ticket type of the one event. */
  quantities: readonly number[];
  buyers: number;
  /** Turns until all is to go well. */
  turns: number;
  kills: number;
  stalls: number;
  /** Chance of the clock to be moved before a turn. */
  clockMoves: number;
};

/** Small, so that everybody is in everybody's way. */
export function drawPlan(random: Random): Plan {
  return {
    holdMs: random.pick([8_000, 60_000, 900_000]),
    payMarginMs: random.pick([0, 5_000]),
    providerTimeoutMs: random.pick([1_000, 10_000]),
    canLookUp: random.chance(0.6),
    quantities: Array.from({ length: random.int(1, 2) }, () => random.int(1, 3)),
    buyers: random.int(2, 4),
    turns: random.int(60, 200),
    kills: random.pick([0, 1, 2]),
    stalls: random.pick([0, 1, 2]),
    clockMoves: random.pick([0.01, 0.03, 0.1]),
  };
}
