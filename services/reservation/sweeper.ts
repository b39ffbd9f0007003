import type { Logger } from "@boxoffice/platform/log.ts";
import type { Runtime } from "@boxoffice/platform/runtime.ts";
import { expiryLagSeconds, holdsEnded } from "./metrics.ts";
import { releaseCancelled, type SweepOptions, sweepExpired } from "./store/sweep.ts";

export type SweeperOptions = Omit<SweepOptions, "limit"> & {
  runtime: Runtime;
  log: Logger;
  /** Called after a commit that wrote to the outbox. */
  onCommit(): void;
};

const BATCH = 1_000;

/** A hold's tickets are for sale again within a second after its end. */
const LOOK_EVERY_MS = 500;
const RETRY_MS = 1_000;

/** Puts the tickets of ended holds, and of cancelled events' holds, back, on every replica at once. */
export async function runSweeper(options: SweeperOptions, signal: AbortSignal): Promise<void> {
  const { runtime, log, onCommit } = options;
  const sweep = async (): Promise<{ isMore: boolean }> => {
    const { ended, lagMs } = await sweepExpired({ ...options, limit: BATCH });
    expiryLagSeconds.set(lagMs / 1_000);
    holdsEnded.inc({ by: "expired" }, ended);
    if (ended > 0) onCommit();
    return { isMore: ended === BATCH };
  };
  const sweepAll = async () => {
    while ((await sweep()).isMore && !signal.aborted);
  };
  let isFailing = false;
  while (!signal.aborted) {
    try {
      // One batch is prepared while the database works on the other.
      if ((await sweep()).isMore) await Promise.all([sweepAll(), sweepAll()]);
      const released = await releaseCancelled({ ...options, limit: BATCH });
      holdsEnded.inc({ by: "cancelled" }, released);
      if (released > 0) onCommit();
      isFailing = false;
      if (released < BATCH) await runtime.sleep(LOOK_EVERY_MS, signal);
    } catch (error) {
      if (!isFailing)
        log.warn({ error }, "cannot end holds; reads and sales count them as ended all the same");
      isFailing = true;
      await runtime.sleep(RETRY_MS, signal);
    }
  }
}
