import { setTimeout as delay } from "node:timers/promises";
import type { Api } from "./api.ts";

/** What the whole journey is made with. */
export type Journey = {
  anyone: Api;
  operator: Api;
  /** Names what this journey makes, so that several can run against the same box office. */
  run: string;
  /** For how long a hold is valid, in seconds. */
  holdSeconds: number;
  /** Does one step. @throws Error that names it */
  step<Result>(name: string, act: () => Promise<Result>): Promise<Result>;
};

/** How long what follows by itself may take, in milliseconds: statistics, a sale that opens, holds that end. */
const FOLLOW_LIMIT_MS = 5000;
const POLL_MS = 50;

/**
 * Looks again and again until the check holds.
 *
 * @throws the last error of the check, where it does not hold within five seconds
 */
export async function eventually(check: () => Promise<void>): Promise<void> {
  for (const deadline = Date.now() + FOLLOW_LIMIT_MS; ; await delay(POLL_MS)) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() <= deadline) continue;
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`not within ${FOLLOW_LIMIT_MS / 1000} s: ${message}`, { cause: error });
    }
  }
}
