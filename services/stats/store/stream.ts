import type { StreamState } from "@boxoffice/platform/bus.ts";
import type { Database } from "@boxoffice/platform/database.ts";
import { requestTask } from "./tasks.ts";

/** What is known of the messages of a stream since they were last followed. */
export type Followed = "WHOLE" | "FIRST_SEEN" | "LOST";

/**
 * Remembers which stream is counted. Where none was before, or messages may have been lost uncounted, because the
 * stream is another one than before, has forgotten messages before they were counted, or has lost its last ones, a
 * RESYNC is requested in the same transaction.
 */
export function followStream(database: Database, taskId: string, stream: StreamState): Promise<Followed> {
  return database.transaction(async (tx) => {
    const [known] = await tx.query<{ stream: string | null; stream_seq: bigint }>({
      text: "select stream, stream_seq from stats.progress for update",
    });
    const countedSeq = Number(known?.stream_seq ?? 0n);
    const isWhole =
      known?.stream === stream.created && countedSeq >= stream.firstSeq - 1 && countedSeq <= stream.lastSeq;
    if (isWhole) return "WHOLE";
    tx.write({
      text: "update stats.progress set stream = $1, stream_seq = $2",
      values: [stream.created, Math.max(stream.firstSeq - 1, 0)],
    });
    await requestTask(tx, taskId, "RESYNC");
    return (known?.stream ?? null) === null ? "FIRST_SEEN" : "LOST";
  });
}
