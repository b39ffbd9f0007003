import type { Database } from "@boxoffice/platform/database.ts";
import { toBatches } from "@boxoffice/platform/export.ts";
import { parseId } from "@boxoffice/platform/parse.ts";
import { type RpcService, service } from "@boxoffice/platform/rpc/service.ts";
import { FeedService } from "@boxoffice/proto/boxoffice/catalog/v1/feed_pb.ts";
import { allEvents } from "../store/export.ts";
import { eventChange } from "../store/save.ts";

/** What statistics ask of the catalog when they have lost something. */
export function feedService({ database }: { database: Database }): RpcService {
  return service(FeedService, {
    async *export(request) {
      const eventId = request.eventId === "" ? null : parseId(request.eventId);
      for await (const events of allEvents(database, eventId)) {
        yield {
          batches: toBatches(events.map((event) => ({ eventId: event.eventId, change: eventChange(event) }))),
        };
      }
    },
  });
}
