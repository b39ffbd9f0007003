import { type Fault, pause } from "../fault.ts";

const TIMES = { full: 5, short: 1 };
const BETWEEN_MS = { full: [11_000, 14_000], short: [0, 300] } as const;

/** PostgreSQL ends all connections at once, writes nothing down, and recovers from its log when it is started again. */
export const postgresRestart: Fault = {
  name: "postgres-restart",
  does: "PostgreSQL is stopped at once, as by pg_ctl -m immediate, and started again",
  seconds: { full: 90, short: 6 },
  backWithinMs: 10_000,
  async inflict({ site: { postgres }, random, size, mark }) {
    for (let time = 0; time < TIMES[size]; time++) {
      if (time > 0) await pause(random, BETWEEN_MS[size]);
      mark();
      postgres.process.send("SIGQUIT");
      await postgres.process.endsWithin(10_000);
      await postgres.process.start();
    }
    return { restarts: TIMES[size] };
  },
};
