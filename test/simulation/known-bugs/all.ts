import { chargeWithoutLease } from "./charge-without-lease.ts";
import { clockBeforeLock } from "./clock-before-lock.ts";
import type { KnownBug } from "./known-bug.ts";
import { lostLeaseIsFailure } from "./lost-lease-is-failure.ts";
import { payingReleasedByTimer } from "./paying-released-by-timer.ts";
import { requestIdsWithLock } from "./request-ids-with-lock.ts";

/** Bugs that the simulation has to find. */
export const KNOWN_BUGS: readonly KnownBug[] = [
  clockBeforeLock,
  payingReleasedByTimer,
  requestIdsWithLock,
  chargeWithoutLease,
  lostLeaseIsFailure,
];

/** @throws Error where there is no such bug */
export function knownBug(name: string): KnownBug {
  const bug = KNOWN_BUGS.find((one) => one.name === name);
  if (bug) return bug;
  const names = KNOWN_BUGS.map((one) => one.name).join(", ");
  throw new Error(`there is no known bug "${name}", but ${names}`);
}
