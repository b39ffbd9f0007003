import type { Logger } from "@boxoffice/platform/log.ts";
import { clearIdle } from "../store/build.ts";
import {
  beat,
  endTask,
  postponeTask,
  type Run,
  requestDueVerification,
  requestTask,
  takeTask,
} from "../store/tasks.ts";
import { rebuild } from "./rebuild.ts";
import { resync } from "./resync.ts";
import { TakenOver, type TaskParts } from "./task.ts";
import { verify } from "./verify.ts";

export type MaintenanceOptions = TaskParts & {
  log: Logger;
  /** A verification begins this long after the one before; 0 for none but those that somebody asks for. */
  verifyEveryHours: number;
};

const LOOK_EVERY_MS = 500;
const UPKEEP_EVERY_MS = 10_000;

/** What was lost is asked for again until it is there. */
const RESYNC_RETRY_SECONDS = 3;

const WORK = { RESYNC: resync, REBUILD: rebuild, VERIFY: verify };

/** Does the tasks that are requested, by whichever replica, until `signal` aborts. */
export async function runMaintenance(options: MaintenanceOptions, signal: AbortSignal): Promise<void> {
  const { database, runtime, log } = options;
  let upkeepAtMs = 0;
  let isFailing = false;
  while (!signal.aborted) {
    try {
      if (runtime.nowMs() >= upkeepAtMs) {
        upkeepAtMs = runtime.nowMs() + UPKEEP_EVERY_MS;
        await keepUp(options);
      }
      const run = await takeTask(database, runtime.newId());
      isFailing = false;
      if (run !== undefined) {
        await doTask(options, run, signal);
        continue;
      }
    } catch (error) {
      if (!isFailing) log.warn({ error }, "cannot look after the statistics; trying again");
      isFailing = true;
    }
    await runtime.sleep(LOOK_EVERY_MS, signal);
  }
}

async function keepUp({ database, runtime, verifyEveryHours }: MaintenanceOptions): Promise<void> {
  await clearIdle(database);
  if (verifyEveryHours > 0) await requestDueVerification(database, runtime.newId(), verifyEveryHours);
}

async function doTask(options: MaintenanceOptions, run: Run, signal: AbortSignal): Promise<void> {
  const { database, runtime, log } = options;
  const { kind } = run;
  let entities = 0;
  const progress = async (count: number) => {
    entities = count;
    if (!(await beat(database, run, count))) throw new TakenOver();
  };
  log.info({ kind }, "looking after the statistics");
  try {
    const found = await WORK[kind]({ ...options, run, signal, progress });
    await endTask(database, run, { ...found, problem: null });
    if (kind === "VERIFY" && found.differenceCount > 0) {
      log.error(
        { differences: found.differences.slice(0, 5), count: found.differenceCount },
        "the statistics are wrong",
      );
      if (found.differences.some(({ field }) => field === "version")) {
        await requestTask(database, runtime.newId(), "RESYNC");
      }
    } else log.info({ kind, entities: found.entities }, "looked after the statistics");
  } catch (error) {
    if (error instanceof TakenOver) return;
    log.warn({ error, kind }, "could not look after the statistics");
    // A process that stops leaves its task to the next one at once.
    if (signal.aborted) return postponeTask(database, run, 0);
    if (kind === "RESYNC") return postponeTask(database, run, RESYNC_RETRY_SECONDS);
    const problem = error instanceof Error ? error.message : String(error);
    await endTask(database, run, { entities, differences: [], differenceCount: 0, problem });
  }
}
