import type { Fault } from "./fault.ts";
import { badProvider } from "./faults/bad-provider.ts";
import { connectionStorm } from "./faults/connection-storm.ts";
import { deletedStream } from "./faults/deleted-stream.ts";
import { frozen } from "./faults/frozen.ts";
import { fullDisk } from "./faults/full-disk.ts";
import { kills } from "./faults/kills.ts";
import { longNatsOutage, natsOutage } from "./faults/nats-outage.ts";
import { overload } from "./faults/overload.ts";
import { partitions } from "./faults/partitions.ts";
import { postgresRestart } from "./faults/postgres-restart.ts";
import { rollingRestarts } from "./faults/rolling-restarts.ts";
import { slowDisk } from "./faults/slow-disk.ts";
import { wipedNats } from "./faults/wiped-nats.ts";
import { wrongClock } from "./faults/wrong-clock.ts";

/** Everything that is broken, in the order in which it is: what takes long comes last. */
export const FAULTS: readonly Fault[] = [
  postgresRestart,
  connectionStorm,
  natsOutage,
  deletedStream,
  wipedNats,
  partitions,
  slowDisk,
  fullDisk,
  wrongClock,
  frozen,
  badProvider,
  rollingRestarts,
  overload,
  kills,
  longNatsOutage,
];
