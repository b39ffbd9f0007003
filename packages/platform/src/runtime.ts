import { randomFillSync } from "node:crypto";
import { v7 as uuidv7 } from "uuid";

/** Time, chance and waiting, injected wherever they are needed so that tests and simulations can drive them. */
export type Runtime = {
  /** Milliseconds since the epoch, by this host's clock. Never decides about a hold: the database's clock does. */
  nowMs(): number;
  /** A UUIDv7 with 74 random bits. */
  newId(): string;
  /** Resolves after `ms` milliseconds, or at once, without an error, when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

export const systemRuntime: Runtime = {
  nowMs: Date.now,
  newId: newUnguessableId,
  // Without node:timers/promises, which makes an error with a stack for each sleep that ends early: most of them do.
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end);
    }),
};

/** A reason that costs nothing; without one, an abort makes an error with a stack. */
const OVER = "over";

/**
 * What `work` comes to, or undefined when `ms` milliseconds are over, or `signal` aborts, before. The work goes on.
 *
 * @throws what `work` throws in time
 */
export async function within<T>(
  runtime: Pick<Runtime, "sleep">,
  ms: number,
  work: Promise<T>,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const over = new AbortController();
  const end = () => over.abort(OVER);
  if (signal?.aborted) end();
  signal?.addEventListener("abort", end);
  try {
    return await Promise.race([work, runtime.sleep(ms, over.signal).then(() => undefined)]);
  } finally {
    signal?.removeEventListener("abort", end);
    end();
  }
}

/**
 * Called without options, `uuidv7` counts up within a millisecond, which would let one reservation id hint at
 * its neighbour's. With options, every bit below the time is random.
 */
function newUnguessableId(): string {
  return uuidv7({ msecs: Date.now(), random: randomBytes16() });
}

const POOL = Buffer.alloc(16 * 256);
let used = POOL.length;

function randomBytes16(): Uint8Array {
  if (used === POOL.length) {
    randomFillSync(POOL);
    used = 0;
  }
  used += 16;
  return POOL.subarray(used - 16, used);
}
