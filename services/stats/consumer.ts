import type { Bus, ReceivedMessage } from "@boxoffice/platform/bus.ts";
import type { Database } from "@boxoffice/platform/database.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import { Counter } from "prom-client";
import { decodeMessages } from "./decode.ts";
import { applyChanges } from "./store/apply.ts";

export type ConsumerOptions = { database: Database; bus: Pick<Bus, "consume">; log: Logger };

/** Replicas share what arrives, by this name. */
const DURABLE = "stats";

/** Messages counted by one transaction at most, each of at most 500 changes. */
const MAX_BATCH = 100;

const skippedParts = new Counter({
  name: "boxoffice_stats_skipped_total",
  help: "Messages, and single changes of messages, that could not be read and are not counted.",
  labelNames: ["part"],
});

/** Counts what the other services say has changed, until `signal` aborts. What is counted is acknowledged. */
export function runConsumer(options: ConsumerOptions, signal: AbortSignal): Promise<void> {
  const handle = (messages: ReceivedMessage[]) => countMessages(messages, options);
  return options.bus.consume({ durable: DURABLE, maxBatch: MAX_BATCH, handle }, signal);
}

async function countMessages(
  messages: readonly ReceivedMessage[],
  { database, log }: ConsumerOptions,
): Promise<void> {
  const { changes, skipped } = decodeMessages(messages);
  await applyChanges(database, changes);
  for (const { subject, part, error } of skipped) {
    skippedParts.inc({ part });
    log.warn({ subject, part, error }, "skipped what cannot be counted");
  }
}
