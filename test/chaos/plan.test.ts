import { expect, test } from "vitest";
import { Random } from "../faults/random.ts";
import { type BuyerPlan, planBuyers } from "./plan.ts";

const HABITS = { perSecond: 20, types: 3, thinksMs: 500 };

function first(count: number, seed: number): BuyerPlan[] {
  const plans = planBuyers(new Random(seed), HABITS);
  return Array.from({ length: count }, () => plans.next().value as BuyerPlan);
}

test("a seed gives the same buyers again, at the same moments and with the same request ids", () => {
  expect(first(200, 7)).toEqual(first(200, 7));
  expect(first(200, 7)).not.toEqual(first(200, 8));
});

test("buyers arrive at their rate, four in five want the first type, and some come to every end", () => {
  const plans = first(5_000, 1);
  const seconds = (plans.at(-1)?.arrivesAtMs ?? 0) / 1_000;
  expect(plans.length / seconds).toBeCloseTo(HABITS.perSecond, -0.5);
  expect(plans.filter(({ type }) => type === 0).length / plans.length).toBeCloseTo(0.8, 1);
  expect(new Set(plans.map(({ fate }) => fate))).toEqual(
    new Set(["pay", "decline", "cancel", "leave", "vanish reserving", "vanish paying"]),
  );
  const ids = plans.flatMap(({ requestIds }) => requestIds);
  expect(new Set(ids).size).toBe(ids.length);
});
