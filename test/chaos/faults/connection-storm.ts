import { setTimeout as delay } from "node:timers/promises";
import { SERVICES } from "../../../local/config.ts";
import { terminationStorm } from "../../faults/backends.ts";
import type { Fault } from "../fault.ts";

const STORM_MS = { full: 20_000, short: 1_500 };

export const connectionStorm: Fault = {
  name: "connection-storm",
  does: "half of all database connections are ended by pg_terminate_backend, again and again for 20 s",
  seconds: { full: 36, short: 5 },
  async inflict({ site: { office }, random, size, mark }) {
    const over = new AbortController();
    const storms = SERVICES.map((service) =>
      terminationStorm(office.database, service, random.fork(service), over.signal),
    );
    await delay(STORM_MS[size]);
    over.abort();
    const ended = await Promise.all(storms);
    mark();
    return { "connections ended": ended.reduce((sum, count) => sum + count, 0) };
  },
};
