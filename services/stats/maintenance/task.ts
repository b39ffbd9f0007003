import type { Database } from "@boxoffice/platform/database.ts";
import type { Runtime } from "@boxoffice/platform/runtime.ts";
import type { Sources } from "../sources.ts";
import type { Outcome, Run } from "../store/tasks.ts";

export type TaskParts = { database: Database; sources: Sources; runtime: Runtime };

/** What a task is done with. */
export type TaskContext = TaskParts & {
  run: Run;
  signal: AbortSignal;
  /**
   * Call it now and then: it keeps the task.
   *
   * @throws TakenOver
   */
  progress(entities: number): Promise<void>;
};

/** What a task found out, unless it throws. */
export type Found = Omit<Outcome, "problem">;

/** Somebody else runs the task now, because this process was silent for too long. */
export class TakenOver extends Error {
  override readonly name = "TakenOver";
}
