import type { Database } from "@boxoffice/platform/database.ts";
import { cutPage, parsePage, sortKey } from "@boxoffice/platform/pages.ts";
import {
  EventStatsSort,
  type ListCategoryStatsRequest,
  type ListEventStatsRequest,
} from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { FIGURE_SORTS, listEventStats, listTopEventStats } from "../store/list.ts";
import { listCategoryStats } from "../store/read.ts";
import { toAsOf, toCategoryStatsMessage, toEventStatsMessage } from "./messages.ts";

export async function listEvents(database: Database, request: ListEventStatsRequest) {
  const sort = FIGURE_SORTS.find((name) => EventStatsSort[name] === request.sort);
  const { value, asOf } = sort
    ? await topEvents(database, sort, request)
    : await eventsByStart(database, request);
  const { page, nextPageToken } = cutPage(value.events, value.size, ({ sortValue, eventId }) =>
    sort ? [sort, sortValue, eventId] : [sortValue, eventId],
  );
  return { eventStats: page.map(toEventStatsMessage), nextPageToken, ...toAsOf(asOf) };
}

function eventsByStart(database: Database, request: ListEventStatsRequest) {
  const { size, after } = parsePage(request, MILLISECONDS, sortKey.id);
  const last = after && { startsAt: new Date(Number(after[0])), eventId: after[1] };
  return listEventStats(database, last, size);
}

function topEvents(database: Database, sort: (typeof FIGURE_SORTS)[number], request: ListEventStatsRequest) {
  const { size, after } = parsePage(request, new RegExp(`^${sort}$`), FIGURE, sortKey.id);
  return listTopEventStats(database, sort, after && { value: after[1], eventId: after[2] }, size);
}

export async function listCategories(database: Database, request: ListCategoryStatsRequest) {
  const { size, after } = parsePage(request, sortKey.text);
  const { value, asOf } = await listCategoryStats(database, after?.[0], size + 1);
  const { page, nextPageToken } = cutPage(value, size, ({ category }) => [category]);
  return { categoryStats: page.map(toCategoryStatsMessage), nextPageToken, ...toAsOf(asOf) };
}

/** A time in a page's token: milliseconds since the epoch, so that no text of these digits is an invalid time. */
const MILLISECONDS = /^\d{1,13}$/;

/** A figure in a page's token, as PostgreSQL writes a float8 that is not below 0. */
const FIGURE = /^\d{1,20}(\.\d{1,20})?(e[+-]?\d{1,2})?$/;
