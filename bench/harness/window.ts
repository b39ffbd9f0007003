import { setTimeout as delay } from "node:timers/promises";
import type { Pace } from "../mode.ts";
import type { BoxOffice } from "./box-office.ts";
import { type CpuSample, cpuBetween, sampleCpu } from "./cpu.ts";
import type { Program } from "./program.ts";

/** A stretch of time under load. */
export type Window = {
  /** By the database's clock. */
  from: Date;
  until: Date;
  seconds: number;
  cpu: CpuSample;
  /** By this process's monotonic clock, in microseconds: profiles tell time by it. */
  monotonicUs: { from: number; until: number };
  /** What the program that made the load printed. */
  printed: string;
};

/** A load runs a little longer than its window, so that it never thins out in it. */
const MARGIN_SECONDS = 1;

/** How long a program that makes the load of one window has to run. */
export function secondsOfLoad({ warmUpSeconds, windowSeconds }: Pace): number {
  return warmUpSeconds + windowSeconds + MARGIN_SECONDS;
}

/** Waits for the load to warm up, and looks at the clocks at both ends of the window. */
export async function measureWindow(box: BoxOffice, pace: Pace, load: Program): Promise<Window> {
  await load.started;
  await delay(1_000 * pace.warmUpSeconds);
  const stretch = await watch(box, () => delay(1_000 * pace.windowSeconds));
  const window = { ...stretch, printed: await load.printed };
  box.windows.push(window);
  return window;
}

/** Looks at the clocks before something and after it. */
export async function watch(box: BoxOffice, work: () => Promise<unknown>): Promise<Omit<Window, "printed">> {
  const fromUs = monotonicUs();
  const before = sampleCpu();
  const from = await clockOf(box);
  await work();
  const until = await clockOf(box);
  const after = sampleCpu();
  const untilUs = monotonicUs();
  return {
    from,
    until,
    seconds: (until.getTime() - from.getTime()) / 1_000,
    cpu: cpuBetween(before, after),
    monotonicUs: { from: fromUs, until: untilUs },
  };
}

async function clockOf({ database }: BoxOffice): Promise<Date> {
  const [row] = await database.query<{ now: Date }>({ text: "select clock_timestamp() as now" });
  if (row === undefined) throw new Error("the database's clock does not answer");
  return row.now;
}

function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
