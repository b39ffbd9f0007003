import { setTimeout as delay } from "node:timers/promises";
import type { Fault } from "../fault.ts";

const TIMES = { full: 2, short: 1 };
const FULL_MS = { full: 15_000, short: 3_000 };
const BETWEEN_MS = 8_000;

/** PostgreSQL stops where it cannot write its log; whoever looks after it makes room and starts it again. */
export const fullDisk: Fault = {
  name: "full-disk",
  does: "PostgreSQL's disk is filled to the last byte for 15 s",
  needs: "a disk of its own",
  seconds: { full: 60, short: 6 },
  async inflict({ site: { disk, postgres, office }, size, mark }) {
    let stops = 0;
    for (let time = 0; time < TIMES[size]; time++) {
      if (time > 0) await delay(BETWEEN_MS);
      postgres.process.mayEnd(true);
      disk?.fill();
      // A log file that is not full yet would hide it for a while.
      await office.database.query({ text: "select pg_switch_wal()" }).catch(() => {});
      await delay(FULL_MS[size]);
      disk?.free();
      mark();
      if (postgres.process.isRunning) {
        postgres.process.mayEnd(false);
        continue;
      }
      stops++;
      await postgres.process.start();
    }
    return { "times full": TIMES[size], "PostgreSQL stopped": stops };
  },
};
