import type { Database } from "@boxoffice/platform/database.ts";
import { Gauge, Histogram } from "prom-client";
import { lastVerification } from "./store/tasks.ts";

/** By the clocks of two hosts, which had better agree. */
export const countedAfterSeconds = new Histogram({
  name: "boxoffice_stats_lag_seconds",
  help: "How long after it was made a change was counted, by message",
  buckets: [0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60, 300, 3_600],
});

/** What the last verification found, read whenever the metrics are: the same on every replica. */
export function measureVerification(database: Database): void {
  const differences = new Gauge({
    name: "boxoffice_stats_verification_differences",
    help: "How many differences the last verification found between the statistics and a recount",
    async collect() {
      // Without an answer there is no figure: a zero would be a lie.
      const last = await lastVerification(database).catch(() => undefined);
      differences.reset();
      endedAt.reset();
      if (last === undefined) return;
      differences.set(last.differences);
      endedAt.set(last.endedAt.getTime() / 1_000);
    },
  });
  const endedAt = new Gauge({
    name: "boxoffice_stats_verification_end_timestamp_seconds",
    help: "When the last verification ended",
  });
  differences.reset();
  endedAt.reset();
}
