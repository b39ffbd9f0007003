import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { FeedService } from "@boxoffice/proto/boxoffice/catalog/v1/feed_pb.ts";
import type { ChangeBatch } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { LedgerService } from "@boxoffice/proto/boxoffice/payment/v1/ledger_pb.ts";
import { SalesService } from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import type { Transport } from "@connectrpc/connect";
import { decodeBatches } from "./decode.ts";
import { type Changes, mergeChanges, noChanges, sizeOf } from "./domain/changes.ts";

/** Calls the services that own what is counted. */
export type Sources = Record<"catalog" | "reservation" | "payment", Transport>;

/** What is read at a time of what they have, at least. */
const PAGE = 2_500;

/** A service that sends nothing for so long has gone. */
const SILENCE_MS = 60_000;

/**
 * Everything that the other services have now, in pages: events, ticket types, reservations and payments. What
 * changes while it is read may be told as it was before or after, and is announced as an event in any case.
 *
 * @throws BoxofficeError DEPENDENCY_UNAVAILABLE where a service cannot be reached
 */
export async function* readSources(sources: Sources, signal: AbortSignal): AsyncGenerator<Changes> {
  let page = noChanges();
  for (const begin of [
    (options: CallOptions) => createRpcClient(FeedService, sources.catalog).export({}, options),
    (options: CallOptions) => createRpcClient(SalesService, sources.reservation).export({}, options),
    (options: CallOptions) => createRpcClient(LedgerService, sources.payment).export({}, options),
  ]) {
    for await (const { batches } of unlessSilent(begin, signal)) {
      const { changes, skipped } = decodeBatches(batches);
      const [first] = skipped;
      if (first !== undefined)
        throw new Error("a service exports what cannot be counted", { cause: first.error });
      mergeChanges(page, changes);
      if (sizeOf(page) < PAGE) continue;
      yield page;
      page = noChanges();
    }
  }
  yield page;
}

type CallOptions = { signal: AbortSignal };
type Exported = { batches: ChangeBatch[] };

/** Ends the call where nothing comes for too long: a service that froze would be waited for without an end. */
async function* unlessSilent(
  begin: (options: CallOptions) => AsyncIterable<Exported>,
  signal: AbortSignal,
): AsyncGenerator<Exported> {
  const silent = new AbortController();
  const giveUp = () => silent.abort(new Error(`nothing was exported for ${SILENCE_MS} ms`));
  let timer = setTimeout(giveUp, SILENCE_MS);
  try {
    for await (const answer of begin({ signal: AbortSignal.any([signal, silent.signal]) })) {
      clearTimeout(timer);
      yield answer;
      timer = setTimeout(giveUp, SILENCE_MS);
    }
  } finally {
    clearTimeout(timer);
  }
}
