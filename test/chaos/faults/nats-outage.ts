import { setTimeout as delay } from "node:timers/promises";
import type { Size } from "../../proof/property.ts";
import type { Fault } from "../fault.ts";

/** Selling does not need it: buyers are served as well as ever from its end on, and all is counted once it is back. */
function outage(name: string, does: string, downMs: Record<Size, number>): Fault {
  return {
    name,
    does,
    seconds: { full: downMs.full / 1_000 + 15, short: downMs.short / 1_000 + 3 },
    backWithinMs: 10_000,
    async inflict({ site: { nats }, size, mark }) {
      mark();
      await nats.kill();
      await delay(downMs[size]);
      await nats.start();
      return { "seconds without NATS": Math.round(downMs[size] / 1_000) };
    },
  };
}

export const natsOutage = outage("nats-outage", "NATS is killed and stays away for 30 s", {
  full: 30_000,
  short: 1_500,
});

export const longNatsOutage = outage("nats-outage-long", "NATS is killed and stays away for 10 min", {
  full: 600_000,
  short: 3_000,
});
