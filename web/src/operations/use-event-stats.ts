import { type EventStats, StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { useQuery } from "@connectrpc/connect-query";

const POLL_MS = 1000;

type Watched = {
  /** Undefined before the first answer. */
  stats: EventStats | undefined;
  error: unknown;
  refetch(): Promise<unknown>;
};

/** How an event sells, asked for again and again while the page is seen. */
export function useEventStats(eventId: string): Watched {
  const { data, error, refetch } = useQuery(
    StatsService.method.getEventStats,
    { eventId },
    { refetchInterval: POLL_MS },
  );
  return { stats: data?.eventStats, error, refetch };
}
