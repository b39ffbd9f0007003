import type { Bus, ReceivedMessage } from "@boxoffice/platform/bus.ts";
import type { Database } from "@boxoffice/platform/database.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import type { Runtime } from "@boxoffice/platform/runtime.ts";
import { tracedTogether } from "@boxoffice/platform/tracing.ts";
import { Counter } from "prom-client";
import { decodeMessages } from "./decode.ts";
import { countedAfterSeconds } from "./metrics.ts";
import { applyChanges } from "./store/apply.ts";
import { followStream } from "./store/stream.ts";

export type ConsumerOptions = {
  database: Database;
  bus: Pick<Bus, "consume">;
  runtime: Runtime;
  log: Logger;
};

/** Replicas share what arrives, by this name. */
const DURABLE = "stats";

/** Messages that are taken at a time at most, each of at most 500 changes. */
const MAX_BATCH = 100;

/** A batch costs about as much with one message as with ten: a busy moment is counted in fewer steps. */
const GATHER_MS = 50;

/** While the database counts one batch, the next one is read. */
const AT_A_TIME = 2;

/** One transaction counts about so much of them at most, so that no statement runs for long. */
const MAX_BYTES = 1024 * 1024;

const skippedParts = new Counter({
  name: "boxoffice_stats_skipped_total",
  help: "Messages, and single changes of messages, that could not be read and are not counted.",
  labelNames: ["part"],
});

/** Counts what the other services say has changed, until `signal` aborts. What is counted is acknowledged. */
export async function runConsumer(options: ConsumerOptions, signal: AbortSignal): Promise<void> {
  await Promise.all(Array.from({ length: AT_A_TIME }, () => consume(options, signal)));
}

function consume(options: ConsumerOptions, signal: AbortSignal): Promise<void> {
  const { database, runtime, log } = options;
  return options.bus.consume(
    {
      durable: DURABLE,
      maxBatch: MAX_BATCH,
      gatherMs: GATHER_MS,
      async begin(stream) {
        const followed = await followStream(database, runtime.newId(), stream);
        if (followed === "FIRST_SEEN") log.info({ stream }, "a stream is followed for the first time");
        if (followed === "LOST") {
          log.warn({ stream }, "messages may have been lost: everything is asked for again");
        }
      },
      async handle(messages) {
        for (const part of cut(messages)) await countMessages(part, options);
      },
    },
    signal,
  );
}

function cut(messages: readonly ReceivedMessage[]): ReceivedMessage[][] {
  const parts: ReceivedMessage[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const message of messages) {
    bytes += message.payload.length;
    const part = parts.at(-1);
    if (part === undefined || bytes > MAX_BYTES) {
      parts.push([message]);
      bytes = message.payload.length;
    } else part.push(message);
  }
  return parts;
}

async function countMessages(
  messages: readonly ReceivedMessage[],
  { database, runtime, log }: ConsumerOptions,
): Promise<void> {
  const { changes, skipped, changedMs, traceparents } = decodeMessages(messages);
  const apply = () => applyChanges(database, changes, messages.at(-1)?.seq);
  await tracedTogether("count", traceparents, apply, "CONSUMER");
  const nowMs = runtime.nowMs();
  for (const ms of changedMs) countedAfterSeconds.observe(Math.max(nowMs - ms, 0) / 1_000);
  for (const { subject, part, error } of skipped) {
    skippedParts.inc({ part });
    log.warn({ subject, part, error }, "skipped what cannot be counted");
  }
}
