import { FeedService } from "@boxoffice/proto/boxoffice/catalog/v1/feed_pb.ts";
import { ChangeBatchSchema } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { fromBinary } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { feedService } from "../rpc/feed-service.ts";
import { createCatalog, createEvent, createPublished, newId, type Replica } from "./harness.ts";

let catalog: Awaited<ReturnType<typeof createCatalog>>;
let replica: Replica;
let eventIds: string[];

beforeAll(async () => {
  catalog = await createCatalog();
  replica = await catalog.start();
  const cancelled = await createPublished(replica, { name: "Gone" });
  await replica.operator.cancelEvent({ eventId: cancelled.eventId });
  const draft = await createEvent(replica, { name: "Draft" });
  const published = await createPublished(replica, { name: "On sale" });
  eventIds = [cancelled, draft, published].map(({ eventId }) => eventId);
});

afterAll(() => catalog.end());

/** Each event's change, by its id. */
async function exported(eventId = "") {
  const { database } = replica;
  const { impl } = feedService({ database });
  const client = createClient(
    FeedService,
    createRouterTransport(({ service }) => service(FeedService, impl as never)),
  );
  const changes: [string, unknown][] = [];
  for await (const { batches } of client.export({ eventId })) {
    for (const batch of batches) {
      for (const { change } of batch.changes) changes.push([batch.eventId, change.value]);
    }
  }
  return changes;
}

async function announced() {
  const rows = await replica.database.query<{ payload: Buffer }>({
    text: "select payload from catalog.outbox order by created_at, outbox_id",
  });
  const batches = rows.map(({ payload }) => fromBinary(ChangeBatchSchema, payload));
  return new Map(
    batches.flatMap(({ eventId, changes }) => changes.map(({ change }) => [eventId, change.value])),
  );
}

test("every event is exported once, drafts too, as it was announced last", async () => {
  const changes = await exported();
  expect(changes.map(([eventId]) => eventId)).toEqual(eventIds.toSorted());
  expect(new Map(changes)).toEqual(await announced());
});

test("one event, or one that there is not", async () => {
  const [, draft = ""] = eventIds;
  expect((await exported(draft.toUpperCase())).map(([eventId]) => eventId)).toEqual([draft]);
  expect(await exported(newId())).toEqual([]);
});
