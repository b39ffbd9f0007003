import { setTimeout as delay } from "node:timers/promises";
import type { History } from "../checker/history.ts";
import type { Random } from "../faults/random.ts";
import type { Size } from "../proof/property.ts";
import type { Crowd } from "./crowd.ts";
import type { BuyerPlan, Habits } from "./plan.ts";
import type { Site } from "./site.ts";

/** What a fault takes beside two hands. */
export type Need = "namespaces" | "a disk of its own";

/** While it is open, buyers come. */
export type Scene = {
  site: Site;
  random: Random;
  size: Size;
  /** Everything that buyers were told so far. */
  history: History;
  /** More buyers, beside those who come anyway. */
  bringCrowd(name: string, habits: Partial<Habits>): Crowd;
  /** From this moment on it counts how long buyers are served badly. */
  mark(): void;
};

/** Something that breaks while buyers buy. */
export type Fault = {
  name: string;
  /** What is done, in a sentence without "and then all was well". */
  does: string;
  needs?: Need;
  /** For how many seconds about they come, in each size: a guess, by which there are half as many tickets as wishes. */
  seconds: Record<Size, number>;
  /** Buyers are well served again within this time of each marked moment, in milliseconds. */
  backWithinMs?: number;
  /** What buyers who pay show to the provider; a good card unless given. */
  cardOf?: (plan: BuyerPlan) => string;
  /** Breaks things, and makes them whole again. @returns how often what was done */
  inflict(scene: Scene): Promise<Record<string, number>>;
};

/** Waits for a random time between two, in milliseconds. */
export function pause(random: Random, [leastMs, mostMs]: readonly [number, number]): Promise<void> {
  return delay(random.int(leastMs, mostMs));
}
