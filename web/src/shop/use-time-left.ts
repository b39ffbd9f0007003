import { useNow } from "../ui/use-now.ts";

/** Shorter than a second, so that no second is skipped. */
const TICK_MS = 250;

/** A clock that is never set: whoever changes the machine's time changes no countdown. */
const monotonicMs = (): number => performance.now();

/**
 * @param endsAtMs on the monotonic clock
 * @returns the milliseconds until then, never below 0; undefined where there is no end
 */
export function useTimeLeft(endsAtMs: number | undefined): number | undefined {
  const nowMs = useNow(monotonicMs, TICK_MS, endsAtMs !== undefined);
  return endsAtMs === undefined ? undefined : Math.max(0, endsAtMs - nowMs);
}
