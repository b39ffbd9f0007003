import { randomFillSync } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
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
  async sleep(ms, signal) {
    if (signal?.aborted) return;
    await delay(ms, undefined, signal && { signal }).catch((error: unknown) => {
      if (!signal?.aborted) throw error;
    });
  },
};

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
