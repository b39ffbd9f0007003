import {
  EventState,
  type ListEventsRequestSchema,
} from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCatalog, createEvent, createPublished, inDays, type Replica } from "./harness.ts";

let catalog: Awaited<ReturnType<typeof createCatalog>>;
let replica: Replica;

beforeAll(async () => {
  catalog = await createCatalog();
  replica = await catalog.start();
  await createPublished(replica, { name: "Jazz Night", venue: "Blue Room", startsAt: inDays(3) });
  await createPublished(replica, { name: "50% off_season", venue: "Größe 10\\Nord", startsAt: inDays(1) });
  await createPublished(replica, { name: "Night at the Opera", venue: "Große Bühne", startsAt: inDays(2) });
  const { eventId } = await createPublished(replica, { name: "Gone", startsAt: inDays(4) });
  await replica.operator.cancelEvent({ eventId });
  await createEvent(replica, { name: "Secret Night", startsAt: inDays(5) });
});

afterAll(() => catalog.end());

type Query = Exclude<MessageInitShape<typeof ListEventsRequestSchema>, { $typeName: string }>;

async function names(query: Query, as: "anyone" | "operator" = "anyone"): Promise<string[]> {
  return (await replica[as].listEvents(query)).events.map(({ name }) => name);
}

const { DRAFT, PUBLISHED, CANCELLED } = EventState;
const JAZZ = "Jazz Night";
const OPERA = "Night at the Opera";
const SEASON = "50% off_season";

describe("a list", () => {
  test.each<[string, Query, "anyone" | "operator", string[]]>([
    ["of all, for anyone", {}, "anyone", [SEASON, OPERA, JAZZ, "Gone"]],
    ["of all, for operators", {}, "operator", [SEASON, OPERA, JAZZ, "Gone", "Secret Night"]],
    ["of drafts, for anyone", { states: [DRAFT] }, "anyone", []],
    ["of drafts and more, for anyone", { states: [DRAFT, CANCELLED] }, "anyone", ["Gone"]],
    ["of drafts, for operators", { states: [DRAFT] }, "operator", ["Secret Night"]],
    ["of what is on sale", { states: [PUBLISHED] }, "anyone", [SEASON, OPERA, JAZZ]],
    ["of what starts later", { startsAfter: inDays(2) }, "anyone", [JAZZ, "Gone"]],
    ["by a word in any case", { query: "NIGHT" }, "anyone", [OPERA, JAZZ]],
    ["by words of name and venue", { query: " blue\tnight " }, "anyone", [JAZZ]],
    ["by a part that joins name and venue", { query: "nightblue" }, "anyone", []],
    ["by letters beyond ASCII", { query: "GRÖSSE" }, "anyone", []],
    ["by an umlaut in any case", { query: "BÜHNE" }, "anyone", [OPERA]],
    ["by a percent sign", { query: "%" }, "anyone", [SEASON]],
    ["by an underscore", { query: "f_s" }, "anyone", [SEASON]],
    ["by a backslash", { query: "0\\n" }, "anyone", [SEASON]],
    ["by a quote", { query: "'" }, "anyone", []],
    ["for what is not there", { query: "night zither" }, "anyone", []],
  ])("%s", async (_, query, as, expected) => {
    expect(await names(query, as)).toEqual(expected);
  });

  test("gives each of many that start together once, page by page", async () => {
    const startsAt = inDays(60);
    const made = await Promise.all(
      Array.from({ length: 7 }, (_, index) => createPublished(replica, { name: `Twin ${index}`, startsAt })),
    );
    const seen: string[] = [];
    let pageToken = "";
    let pages = 0;
    do {
      const { events, nextPageToken } = await replica.anyone.listEvents({
        query: "twin",
        pageSize: 2,
        pageToken,
      });
      expect(events.length).toBeLessThanOrEqual(2);
      seen.push(...events.map(({ eventId }) => eventId));
      pageToken = nextPageToken;
      pages++;
    } while (pageToken !== "");
    expect(pages).toBe(4);
    expect(seen).toEqual(made.map(({ eventId }) => eventId).sort());
  });

  test("shows each event as it is shown alone", async () => {
    const { events } = await replica.operator.listEvents({});
    for (const event of events) {
      expect((await replica.operator.getEvent({ eventId: event.eventId })).event).toEqual(event);
    }
  });
});
