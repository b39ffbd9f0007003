import type { Database } from "@boxoffice/platform/database.ts";
import { cutPage, parsePage, sortKey } from "@boxoffice/platform/pages.ts";
import { parseId } from "@boxoffice/platform/parse.ts";
import { type RpcService, service } from "@boxoffice/platform/rpc/service.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { categoryKey } from "../domain/changes.ts";
import {
  listCategoryStats,
  listEventStats,
  readCategoryStats,
  readEventStats,
  readOverview,
} from "../store/read.ts";
import { toAsOf, toCategoryStatsMessage, toEventStatsMessage, toOverviewMessage } from "./messages.ts";

/** What operators ask of the sale's figures. */
export function statsService({ database }: { database: Database }): RpcService {
  return service(StatsService, {
    async getOverview() {
      const { value, asOf } = await readOverview(database);
      return { overview: toOverviewMessage(value), ...toAsOf(asOf) };
    },

    async getEventStats(request) {
      const { value, asOf } = await readEventStats(database, parseId(request.eventId));
      return { eventStats: toEventStatsMessage(value), ...toAsOf(asOf) };
    },

    async listEventStats(request) {
      const { size, after } = parsePage(request, MILLISECONDS, sortKey.id);
      const last = after && { startsAt: new Date(Number(after[0])), eventId: after[1] };
      const { value, asOf } = await listEventStats(database, last, size);
      const { page, nextPageToken } = cutPage(value.events, value.size, ({ startsAt, eventId }) => [
        String(startsAt.getTime()),
        eventId,
      ]);
      return { eventStats: page.map(toEventStatsMessage), nextPageToken, ...toAsOf(asOf) };
    },

    async getCategoryStats(request) {
      const { value, asOf } = await readCategoryStats(database, categoryKey(request.category));
      return { categoryStats: toCategoryStatsMessage(value), ...toAsOf(asOf) };
    },

    async listCategoryStats(request) {
      const { size, after } = parsePage(request, sortKey.text);
      const { value, asOf } = await listCategoryStats(database, after?.[0], size + 1);
      const { page, nextPageToken } = cutPage(value, size, ({ category }) => [category]);
      return { categoryStats: page.map(toCategoryStatsMessage), nextPageToken, ...toAsOf(asOf) };
    },
  });
}

/** A time in a page's token: milliseconds since the epoch, so that no text of these digits is an invalid time. */
const MILLISECONDS = /^\d{1,13}$/;
