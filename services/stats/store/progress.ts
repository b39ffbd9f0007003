import type { Queryable, Transaction } from "@boxoffice/platform/database.ts";

/** The row of `stats.progress`, as whoever counts needs it. */
export type Progress = {
  /** What is shown. */
  generation: number;
  /** What is built beside it, if anything, and by which run of a task. */
  building: number | null;
  buildId: string | null;
};

/** Keeps every other consumer from replacing anything until the transaction ends. */
export async function lockProgress(tx: Transaction): Promise<Progress> {
  const [row] = await tx.query<{ generation: number; building: number | null; build_id: string | null }>({
    name: "lock-progress",
    text: "select generation, building, build_id from stats.progress for update",
  });
  if (row === undefined) throw new Error("the one row of stats.progress is missing");
  return { generation: row.generation, building: row.building, buildId: row.build_id };
}

/** Which generation is shown. */
export async function shownGeneration(on: Queryable): Promise<number> {
  const [row] = await on.query<{ generation: number }>({ text: "select generation from stats.progress" });
  if (row === undefined) throw new Error("the one row of stats.progress is missing");
  return row.generation;
}

/** `greatest` ignores nulls: before the first change there is no time, and a message need not tell one. */
export function advance(tx: Transaction, asOf: Date | null, seq: number): void {
  tx.write({
    name: "advance",
    text: `
      update stats.progress
      set as_of = greatest(as_of, $1::timestamptz), revision = revision + 1,
          stream_seq = greatest(stream_seq, $2::int8)`,
    values: [asOf, seq],
  });
}
