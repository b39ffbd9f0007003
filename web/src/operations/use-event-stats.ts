import {
  type EventStats,
  type GetEventStatsResponse,
  GetEventStatsResponseSchema,
  StatsService,
} from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectQueryKey, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useLive } from "../api/use-live.ts";

const POLL_MS = 2000;

type Watched = {
  /** Undefined before the first answer. */
  stats: EventStats | undefined;
  error: unknown;
  isLive: boolean;
  refetch(): Promise<unknown>;
};

/** How an event sells, kept up to date while the page is seen: by a stream, or else by asking. */
export function useEventStats(eventId: string): Watched {
  const { getEventStats } = StatsService.method;
  const client = useQueryClient();
  const transport = useTransport();
  const isLive = useLive(
    `stats.${eventId}`,
    (signal) => createClient(StatsService, transport).watchEventStats({ eventId }, { signal, timeoutMs: 0 }),
    ({ eventStats, asOf }) => {
      const input = { eventId };
      const key = createConnectQueryKey({ schema: getEventStats, input, transport, cardinality: "finite" });
      client.setQueryData<GetEventStatsResponse>(
        key,
        create(GetEventStatsResponseSchema, { ...(eventStats && { eventStats }), ...(asOf && { asOf }) }),
      );
    },
  );
  const { data, error, refetch } = useQuery(
    getEventStats,
    { eventId },
    { refetchInterval: isLive ? false : POLL_MS },
  );
  return { stats: data?.eventStats, error, isLive, refetch };
}
