import { sum } from "./numbers.ts";
import type { Window } from "./window.ts";

/** A thread that is busy this much of the time is what limits the rest. */
const SATURATED = 0.9;
const SHOWN_FROM_US = 0.5;
const DISTURBED = 0.1;

/** CPU time that each part took for one unit of work, the largest first, in microseconds. */
export function cpuPerUnit({ cpu }: Pick<Window, "cpu">, units: number): { part: string; us: number }[] {
  return [...cpu.byPart]
    .map(([part, ms]) => ({ part, us: (1_000 * ms) / Math.max(1, units) }))
    .filter(({ us }) => us >= SHOWN_FROM_US)
    .sort((a, b) => b.us - a.us);
}

/** A sentence on where the time went and what there was none left of. */
export function explainLimit({ cpu, seconds }: Pick<Window, "cpu" | "seconds">, cores: number): string {
  const busy = [...cpu.mainThreads]
    .map(([part, ms]) => ({ part, share: ms / 1_000 / seconds }))
    .filter(({ part }) => !part.startsWith("postgres"))
    .sort((a, b) => b.share - a.share);
  const ours = sum(cpu.byPart.values()) / 1_000 / seconds;
  const machine = cpu.machineMs / 1_000 / seconds;
  const saturated = busy.filter(({ share }) => share >= SATURATED);
  const threads = busy.slice(0, 3).map(({ part, share }) => `${part} ${percent(share)}`);
  const full = machine >= SATURATED * cores;
  const limit = [
    ...(saturated.length > 0 ? [`the thread of ${saturated.map(({ part }) => part).join(", ")}`] : []),
    ...(full ? [`all ${cores} processors`] : []),
  ];
  return (
    `limit: ${limit.length > 0 ? limit.join(", and ") : "neither a thread nor the processors"}; ` +
    `busiest threads: ${threads.join(", ")}; processors ${percent(ours / cores)} ours, ` +
    `${percent(othersShare({ cpu, seconds }) / cores)} somebody else's`
  );
}

/** A warning where others used the machine during some of the windows: ratios bear that, single figures do not. */
export function disturbance(windows: readonly Pick<Window, "cpu" | "seconds">[], cores: number): string[] {
  const most = Math.max(0, ...windows.map((window) => othersShare(window) / cores));
  if (most < DISTURBED) return [];
  return [`NOT ALONE: others used up to ${percent(most)} of the processors while this was measured`];
}

/** Processors that were busy with something that the bench did not start. */
function othersShare({ cpu, seconds }: Pick<Window, "cpu" | "seconds">): number {
  return Math.max(0, cpu.machineMs - sum(cpu.byPart.values())) / 1_000 / seconds;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
