import { FeedService } from "@boxoffice/proto/boxoffice/catalog/v1/feed_pb.ts";
import type { Change, ChangeBatch } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { ChangeBatchSchema } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { LedgerService } from "@boxoffice/proto/boxoffice/payment/v1/ledger_pb.ts";
import { SalesService } from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import { create } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import type { Sources } from "../sources.ts";

/** Services that have what the newest of some messages say, and export it a few entities at a time. */
export function sourcesOf(messages: () => readonly ChangeBatch[]): Sources {
  const exportOf = async function* (...kinds: Change["change"]["case"][]) {
    const newest = new Map<string, { eventId: string; change: Change }>();
    for (const { eventId, changes } of messages()) {
      for (const change of changes) {
        const { case: kind, value } = change.change;
        if (value === undefined || !kinds.includes(kind)) continue;
        const key = `${kind} ${idOf(change)}`;
        const known = newest.get(key)?.change.change.value;
        if (known === undefined || known.version < value.version) newest.set(key, { eventId, change });
      }
    }
    const all = [...newest.values()];
    for (let start = 0; start < all.length; start += 100) {
      const page = Map.groupBy(all.slice(start, start + 100), ({ eventId }) => eventId);
      yield {
        batches: [...page].map(([eventId, entities]) =>
          create(ChangeBatchSchema, { eventId, changes: entities.map(({ change }) => change) }),
        ),
      };
    }
  };
  const transport = createRouterTransport((router) => {
    router.service(FeedService, { export: () => exportOf("event") });
    router.service(SalesService, { export: () => exportOf("ticketType", "reservation") });
    router.service(LedgerService, { export: () => exportOf("payment") });
  });
  return { catalog: transport, reservation: transport, payment: transport };
}

function idOf({ change: { case: kind, value } }: Change): string {
  if (kind === "event") return value.eventId;
  if (kind === "ticketType") return value.ticketTypeId;
  if (kind === "reservation") return value.reservationRef;
  return kind === "payment" ? value.paymentId : "";
}
