import { hostileInput } from "./hostile/hostile-input.ts";
import { rollingRestart } from "./operations/rolling-restart.ts";
import { badProvider } from "./payment/bad-provider.ts";
import { crashes } from "./payment/crashes.ts";
import { duplicates } from "./payment/duplicates.ts";
import { frozen } from "./payment/frozen.ts";
import type { Area } from "./property.ts";
import { afterTheLock } from "./reservation/after-the-lock.ts";
import { crowd } from "./reservation/crowd.ts";
import { decisions } from "./reservation/decide.ts";
import { everything } from "./reservation/everything.ts";
import { killedCatalog } from "./reservation/killed-catalog.ts";
import { killedReplica } from "./reservation/killed-replica.ts";
import { lostCommit, terminatedBackends } from "./reservation/lost-answers.ts";
import { expiryRace, marginRace } from "./reservation/races.ts";
import { requestIds } from "./reservation/request-ids.ts";
import { knownBugs } from "./simulation/known-bugs.ts";
import { schedules } from "./simulation/schedules.ts";
import { commits } from "./statistics/commits.ts";
import { killedStats } from "./statistics/killed-stats.ts";
import { lostStream } from "./statistics/lost-stream.ts";
import { outage } from "./statistics/outage.ts";
import { rebuilt } from "./statistics/rebuilt.ts";
import { shuffled } from "./statistics/shuffled.ts";

/** What can be proved, by the name that the command line takes. */
export const AREAS: Record<string, Area> = {
  reservation: {
    services: ["reservation", "catalog"],
    properties: [
      decisions,
      crowd,
      requestIds,
      expiryRace,
      marginRace,
      afterTheLock,
      killedReplica,
      lostCommit,
      terminatedBackends,
      killedCatalog,
      everything,
    ],
  },
  payment: {
    services: ["reservation", "payment"],
    properties: [duplicates, badProvider, frozen, crashes],
  },
  simulation: {
    services: ["reservation", "payment"],
    properties: [schedules, knownBugs],
  },
  statistics: {
    services: ["catalog", "reservation", "payment", "stats"],
    properties: [shuffled, commits, outage, lostStream, killedStats, rebuilt],
  },
  operations: {
    services: ["catalog", "reservation", "payment", "stats"],
    properties: [rollingRestart],
  },
  hostile: {
    services: ["catalog", "reservation", "payment", "stats"],
    properties: [hostileInput],
  },
};
