import { setTimeout as delay } from "node:timers/promises";
import { History } from "../checker/history.ts";
import { NamespaceNetwork } from "../faults/namespaces.ts";
import type { Random } from "../faults/random.ts";
import type { Size } from "../proof/property.ts";
import { findDamage } from "./aftermath.ts";
import { Crowd } from "./crowd.ts";
import type { Fault, Scene } from "./fault.ts";
import { backAfter, errorsIn, intolerable, isBusy } from "./measure.ts";
import type { Habits } from "./plan.ts";
import { openSale, type Site } from "./site.ts";

const HABITS: Record<Size, Habits> = {
  full: { perSecond: 8, types: 3, thinksMs: 1_500 },
  short: { perSecond: 3, types: 3, thinksMs: 200 },
};

/** Buyers who are there before anything breaks, and after everything is whole. */
const BEFORE_MS = { full: 6_000, short: 500 };
const AFTER_MS = { full: 12_000, short: 2_000 };

/** Tickets that a buyer wants, on average. */
const WISH = 2.5;

export type Finding = {
  name: string;
  does: string;
  /** Why it was not tried. */
  skipped?: string;
  /** How often what was done, and how many calls there were. */
  counts: Record<string, number>;
  /** What is wrong with the books, with what buyers were told, with the statistics, or with what they were refused. */
  violations: string[];
  /** Processes that ended although nobody had asked them to. */
  died: string[];
  /** The longest that buyers were served badly after something broke, in milliseconds; null where it was not marked. */
  backMs: number | null;
  /** Whether buyers waited long before anything broke: then only failed calls count as served badly. */
  isBusy: boolean;
  /** Where that took longer than it may. */
  late: string[];
  /** Errors that buyers saw, by code and reason. */
  errors: Record<string, number>;
  seconds: number;
};

/** Why a fault cannot be tried here. */
export function obstacleTo({ needs }: Fault, site: Site): string | undefined {
  if (needs === undefined) return undefined;
  if (!(site.network instanceof NamespaceNetwork)) return NamespaceNetwork.obstacle() ?? "takes namespaces";
  if (needs === "a disk of its own" && site.disk === undefined)
    return "takes a loop device, ext4 and fsfreeze";
  return undefined;
}

export type Trial = {
  site: Site;
  random: Random;
  size: Size;
  /** Buyers who come; as many as usual unless given. */
  perSecond?: number | undefined;
};

/** Lets buyers come, breaks something, makes it whole, lets everybody go home, and looks for damage. */
export async function tryFault(fault: Fault, { site, random, size, perSecond }: Trial): Promise<Finding> {
  const startedAtMs = performance.now();
  const { name, does } = fault;
  const obstacle = obstacleTo(fault, site);
  const none = {
    name,
    does,
    counts: {},
    violations: [],
    died: [],
    backMs: null,
    isBusy: false,
    late: [],
    errors: {},
  };
  if (obstacle !== undefined) return { ...none, skipped: obstacle, seconds: 0 };

  const diedBefore = site.office.unexpectedEnds().length;
  const history = new History();
  const marks: number[] = [];
  const habits = { ...HABITS[size], ...(perSecond && { perSecond }) };
  const wishes = habits.perSecond * fault.seconds[size] * WISH;
  const event = await openSale(site, [Math.ceil(wishes / 2), Math.ceil(wishes / 20), Math.ceil(wishes / 5)]);
  const crowds: Crowd[] = [];
  const bringCrowd = (crowdName: string, own: Partial<Habits>): Crowd => {
    const crowd = new Crowd({
      door: site.arrangement.door,
      history,
      event,
      random: random.fork(crowdName),
      habits: { ...habits, ...own },
      cardOf: fault.cardOf ?? (() => "ok"),
    });
    crowds.push(crowd);
    crowd.open();
    return crowd;
  };
  bringCrowd("buyers", {});
  const scene: Scene = {
    site,
    random: random.fork("fault"),
    size,
    history,
    bringCrowd,
    mark: () => void marks.push(performance.now()),
  };
  let counts: Record<string, number> = {};
  let endedAtMs = 0;
  try {
    await delay(BEFORE_MS[size]);
    counts = await fault.inflict(scene);
    await delay(AFTER_MS[size]);
  } finally {
    endedAtMs = performance.now();
    site.network.heal();
    await Promise.all(crowds.map((one) => one.close()));
  }
  const errors = errorsIn(history.calls);
  const damage = await findDamage(site, { eventId: event.eventId, history, random, size });
  const beforeMs = marks[0] ?? endedAtMs;
  const busy = isBusy(history.calls.filter((call) => call.endedAtMs < beforeMs));
  const times = backAfter(history.calls, marks, endedAtMs, !busy);
  const backMs = times.length > 0 ? Math.round(Math.max(...times)) : null;
  const limitMs = fault.backWithinMs ?? Number.POSITIVE_INFINITY;
  const late = times.filter((ms) => ms > limitMs);
  const buyers = crowds.reduce((sum, { arrived }) => sum + arrived, 0);
  return {
    name,
    does,
    counts: { ...counts, buyers, calls: history.calls.length },
    violations: [...damage, ...intolerable(history.calls)],
    died: site.office.unexpectedEnds().slice(diedBefore),
    backMs,
    isBusy: busy,
    late: late.map((ms) => `served badly for ${Math.round(ms)} ms, and at most ${limitMs} ms are meant`),
    errors,
    seconds: Math.round((performance.now() - startedAtMs) / 1_000),
  };
}
