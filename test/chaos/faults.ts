import type { Fault } from "./fault.ts";
import { kills } from "./faults/kills.ts";
import { postgresRestart } from "./faults/postgres-restart.ts";

/** Everything that is broken, in the order in which it is. */
export const FAULTS: readonly Fault[] = [postgresRestart, kills];
