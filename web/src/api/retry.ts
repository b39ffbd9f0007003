import { isPassing, refusalOf } from "./refusal.ts";

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 10_000;

/** How often a call is made again by itself before its page says that it fails. */
const RETRIES = 4;

/**
 * Tries again what may well succeed, with growing waits that no two pages share, and not before the box office
 * wants to be asked again. Safe for acts too: those carry a request id.
 */
export const retrying = {
  retry: (failures: number, error: unknown): boolean => failures < RETRIES && isPassing(refusalOf(error)),
  retryDelay: (failures: number, error: unknown): number => {
    const growing = Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS);
    const spread = growing * (0.5 + Math.random() / 2);
    return (refusalOf(error).retryAfterMs ?? 0) + spread;
  },
};
