import { type Fault, pause } from "../fault.ts";

const TIMES = { full: 3, short: 1 };
const BETWEEN_MS = { full: [3_000, 6_000], short: [0, 300] } as const;

export const wipedNats: Fault = {
  name: "wiped-nats",
  does: "NATS is killed, loses its disk, and starts again with nothing",
  seconds: { full: 30, short: 4 },
  backWithinMs: 10_000,
  async inflict({ site: { nats }, random, size, mark }) {
    for (let time = 0; time < TIMES[size]; time++) {
      mark();
      await nats.kill();
      nats.wipe();
      await nats.start();
      await pause(random, BETWEEN_MS[size]);
    }
    return { "disks wiped": TIMES[size] };
  },
};
