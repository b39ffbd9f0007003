import type { KnownBug } from "./known-bug.ts";

/** The sweeper ends what is being paid for, too, once its time is over. */
export const payingReleasedByTimer: KnownBug = {
  name: "paying-released-by-timer",
  why: "the provider may be charging at this moment: the money is taken, and the tickets are sold to somebody else",
  edits: [
    {
      module: "services/reservation/store/sweep.ts",
      text: `select reservation_id from reservation.reservations
        where state = 'HELD' and`,
      replacement: `select reservation_id from reservation.reservations
        where state in ('HELD', 'PAYING') and`,
    },
  ],
  foundBy: 5,
};
