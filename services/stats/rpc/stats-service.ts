import type { Database } from "@boxoffice/platform/database.ts";
import { parseId } from "@boxoffice/platform/parse.ts";
import { type RpcService, service } from "@boxoffice/platform/rpc/service.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { categoryKey } from "../domain/changes.ts";
import { readCategoryStats, readEventStats, readOverview } from "../store/read.ts";
import { listTasks, requestTask } from "../store/tasks.ts";
import type { Watches } from "../watches.ts";
import { eventStatsCsv } from "./csv.ts";
import { listCategories, listEvents } from "./lists.ts";
import { toAsOf, toCategoryStatsMessage, toEventStatsMessage, toOverviewMessage } from "./messages.ts";
import { toTaskMessage } from "./tasks.ts";
import { getSalesTimeline } from "./timeline.ts";

export type StatsServiceOptions = { database: Database; watches: Watches; newId(): string };

/** What operators ask of the sale's figures. */
export function statsService({ database, watches, newId }: StatsServiceOptions): RpcService {
  return service(StatsService, {
    async getOverview() {
      const { value, asOf } = await readOverview(database);
      return { overview: toOverviewMessage(value), ...toAsOf(asOf) };
    },

    async getEventStats(request) {
      const { value, asOf } = await readEventStats(database, parseId(request.eventId));
      return { eventStats: toEventStatsMessage(value), ...toAsOf(asOf) };
    },

    listEventStats: (request) => listEvents(database, request),

    async getCategoryStats(request) {
      const { value, asOf } = await readCategoryStats(database, categoryKey(request.category));
      return { categoryStats: toCategoryStatsMessage(value), ...toAsOf(asOf) };
    },

    listCategoryStats: (request) => listCategories(database, request),

    getSalesTimeline: (request) => getSalesTimeline(database, request),

    async *watchEventStats(request, { signal }) {
      for await (const { value, asOf } of watches.watch(parseId(request.eventId), signal)) {
        yield { eventStats: toEventStatsMessage(value), ...toAsOf(asOf) };
      }
    },

    async *exportEventStats(request) {
      yield { csv: eventStatsCsv(await readEventStats(database, parseId(request.eventId))) };
    },

    rebuildStats: async () => ({ taskId: await requestTask(database, newId(), "REBUILD") }),

    verifyStats: async () => ({ taskId: await requestTask(database, newId(), "VERIFY") }),

    async listStatsTasks() {
      return { tasks: (await listTasks(database, TASKS_TOLD)).map(toTaskMessage) };
    },
  });
}

const TASKS_TOLD = 50;
