import { setTimeout as delay } from "node:timers/promises";
import type { Fault, Scene } from "../fault.ts";
import { errorOf } from "../measure.ts";

const FOR_MS = { full: 20_000, short: 2_000 };
const PROBE_MS = { full: 6_000, short: 1_000 };

/** Far more than two processors can serve: whoever is served then shows how many that is. */
const PROBE_PER_SECOND = 150;
const TIMES = 5;

export const overload: Fault = {
  name: "overload",
  does: "five times as many buyers come as can be served, for 20 s, whether or not anybody is served",
  seconds: { full: 600, short: 60 },
  async inflict(scene) {
    const { size, mark } = scene;
    const served = await servedPerSecond(scene, PROBE_MS[size]);
    const crowd = scene.bringCrowd("far too many", {
      perSecond: Math.max(10, served * TIMES),
      thinksMs: 200,
    });
    await delay(FOR_MS[size]);
    crowd.leave();
    mark();
    return {
      "buyers served per second": Math.round(served),
      "buyers who came in the overload": crowd.arrived,
      "of these never let in": crowd.turnedAway,
    };
  },
};

/** How many buyers can be served: so many reservations are answered in a second when there are more wishes than that. */
async function servedPerSecond({ bringCrowd, history }: Scene, probeMs: number): Promise<number> {
  const probe = bringCrowd("probe", { perSecond: PROBE_PER_SECOND, thinksMs: 50 });
  await delay(probeMs / 3);
  const sinceMs = performance.now();
  await delay((probeMs * 2) / 3);
  const untilMs = performance.now();
  probe.leave();
  const served = history.calls.filter(
    (call) =>
      call.method === "Reserve" &&
      call.endedAtMs >= sinceMs &&
      call.endedAtMs <= untilMs &&
      errorOf(call) === undefined,
  );
  return (served.length * 1_000) / (untilMs - sinceMs);
}
