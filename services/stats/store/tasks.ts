import type { Queryable } from "@boxoffice/platform/database.ts";
import type { Difference } from "../domain/compare.ts";

export const TASK_KINDS = ["RESYNC", "REBUILD", "VERIFY"] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

export const TASK_STATES = ["WAITING", "RUNNING", "SUCCEEDED", "FAILED"] as const;
export type TaskState = (typeof TASK_STATES)[number];

export type Task = {
  taskId: string;
  kind: TaskKind;
  state: TaskState;
  requestedAt: Date;
  startedAt: Date | null;
  endedAt: Date | null;
  entities: bigint;
  differences: Difference[];
  differenceCount: bigint;
  problem: string | null;
};

/** A task that this process runs. `runId` is another one each time that somebody takes it. */
export type Run = { taskId: string; runId: string; kind: TaskKind };

/** For so long nobody else takes a task over that does not beat any more. */
const RUN_SECONDS = 20;

/** So many tasks are remembered. */
const KEPT = 200;

/** Requests a task, or finds the one of its kind that waits already. @returns its id */
export async function requestTask(on: Queryable, taskId: string, kind: TaskKind): Promise<string> {
  const [row] = await on.query<{ task_id: string }>({
    text: `
      insert into stats.tasks as t (task_id, kind, state, requested_at, due_at)
      values ($1, $2, 'WAITING', stats.clock(), stats.clock())
      on conflict (kind) where state = 'WAITING' do update set due_at = least(t.due_at, excluded.due_at)
      returning t.task_id`,
    values: [taskId, kind],
  });
  return row?.task_id ?? taskId;
}

/** Requests a VERIFY unless there was one within so many hours. */
export async function requestDueVerification(on: Queryable, taskId: string, hours: number): Promise<void> {
  const recent = await on.query({
    text: `
      select 1 from stats.tasks
      where kind = 'VERIFY' and requested_at > stats.clock() - make_interval(hours => $1)
      limit 1`,
    values: [hours],
  });
  if (recent.length === 0) await requestTask(on, taskId, "VERIFY");
}

/** Takes the next task that is due, or one whose process died, unless another one runs. */
export async function takeTask(on: Queryable, runId: string): Promise<Run | undefined> {
  const [row] = await on.query<{ task_id: string; kind: TaskKind }>({
    name: "take-task",
    text: `
      update stats.tasks
      set state = 'RUNNING', run_id = $1, run_until = stats.clock() + make_interval(secs => $2),
          started_at = stats.clock(), entities = 0, differences = '[]', difference_count = 0
      where task_id = (
        select task_id from stats.tasks
        where (state = 'RUNNING' and run_until < stats.clock())
          or (state = 'WAITING' and due_at <= stats.clock()
            and not exists (select 1 from stats.tasks where state = 'RUNNING'))
        order by state, requested_at
        limit 1
        for update skip locked)
      returning task_id, kind`,
    values: [runId, RUN_SECONDS],
  });
  return row && { taskId: row.task_id, runId, kind: row.kind };
}

/** Keeps a task, and tells how far it is. @returns false where it was taken over */
export async function beat(on: Queryable, { taskId, runId }: Run, entities: number): Promise<boolean> {
  const rows = await on.query({
    name: "beat-task",
    text: `
      update stats.tasks set entities = $3, run_until = stats.clock() + make_interval(secs => $4)
      where task_id = $1 and run_id = $2 and state = 'RUNNING'
      returning 1`,
    values: [taskId, runId, entities, RUN_SECONDS],
  });
  return rows.length > 0;
}

export type Outcome = {
  entities: number;
  differences: readonly Difference[];
  differenceCount: number;
  problem: string | null;
};

/** Writes down what became of a task, unless it was taken over. Old ones are forgotten. */
export async function endTask(on: Queryable, { taskId, runId }: Run, outcome: Outcome): Promise<void> {
  await on.query({
    text: `
      update stats.tasks
      set state = case when $6::text is null then 'SUCCEEDED' else 'FAILED' end, ended_at = stats.clock(),
          entities = $3, differences = $4, difference_count = $5, problem = $6
      where task_id = $1 and run_id = $2 and state = 'RUNNING'`,
    values: [
      taskId,
      runId,
      outcome.entities,
      JSON.stringify(outcome.differences),
      outcome.differenceCount,
      outcome.problem,
    ],
  });
  await on.query({
    text: `
      delete from stats.tasks where state in ('SUCCEEDED', 'FAILED') and requested_at <
        (select requested_at from stats.tasks order by requested_at desc offset $1 limit 1)`,
    values: [KEPT],
  });
}

/** To be tried again after some seconds. Where another of its kind waits already, that one is enough. */
export async function postponeTask(on: Queryable, { taskId, runId }: Run, seconds: number): Promise<void> {
  await on.query({
    text: `
      with other as (
        select 1 from stats.tasks w join stats.tasks t on t.kind = w.kind
        where w.state = 'WAITING' and t.task_id = $1
      )
      update stats.tasks
      set state = case when exists (select from other) then 'FAILED' else 'WAITING' end,
          ended_at = case when exists (select from other) then stats.clock() end,
          problem = case when exists (select from other) then 'another one was requested meanwhile' end,
          due_at = stats.clock() + make_interval(secs => $3)
      where task_id = $1 and run_id = $2 and state = 'RUNNING'`,
    values: [taskId, runId, seconds],
  });
}

type TaskRow = {
  task_id: string;
  kind: TaskKind;
  state: TaskState;
  requested_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  entities: bigint;
  differences: Difference[];
  difference_count: bigint;
  problem: string | null;
};

/** The newest tasks, newest first. */
export async function listTasks(on: Queryable, limit: number): Promise<Task[]> {
  const rows = await on.query<TaskRow>({
    text: `
      select task_id, kind, state, requested_at, started_at, ended_at, entities, differences, difference_count,
        problem
      from stats.tasks
      order by requested_at desc, task_id desc
      limit $1`,
    values: [limit],
  });
  return rows.map((row) => ({
    taskId: row.task_id,
    kind: row.kind,
    state: row.state,
    requestedAt: row.requested_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    entities: row.entities,
    differences: row.differences,
    differenceCount: row.difference_count,
    problem: row.problem,
  }));
}

/** The last verification that came to an end: how many differences it found, and when that was. */
export async function lastVerification(
  on: Queryable,
): Promise<{ differences: number; endedAt: Date } | undefined> {
  const [row] = await on.query<{ difference_count: bigint; ended_at: Date }>({
    text: `
      select difference_count, ended_at from stats.tasks
      where kind = 'VERIFY' and state = 'SUCCEEDED'
      order by requested_at desc
      limit 1`,
  });
  return row && { differences: Number(row.difference_count), endedAt: row.ended_at };
}
