import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { createGrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import {
  EventStatsSort,
  StatsService,
  TimelineInterval,
} from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import type { BoxOffice } from "../harness/box-office.ts";
import { settle } from "../harness/counts.ts";
import { fillStatistics } from "../harness/fill-statistics.ts";
import { quantile } from "../harness/numbers.ts";
import type { Mode } from "../mode.ts";

const SIZE = { events: 1_000, reservations: 10_000_000 };
const QUICK_SIZE = { events: 50, reservations: 50_000 };
const CALLS = 40;
const CALL_LIMIT_MS = 20_000;
const DAY_MS = 86_400_000;

/** How long operators wait for figures when much was sold. */
export const queries: Mode = {
  name: "queries",
  summary:
    "How long every query of the statistics takes with 1,000 events and 10 million reservations counted",
  tools: [],
  async run({ box, pace, tell }) {
    const size = pace.isQuick ? QUICK_SIZE : SIZE;
    tell(`writing ${size.reservations.toLocaleString("en")} reservations of ${size.events} events`);
    const eventIds = await fillStatistics(box, size);
    await settle(box);
    const transport = createGrpcTransport(addressOf(box), {
      defaultTimeoutMs: CALL_LIMIT_MS,
      bearer: () => box.operatorToken,
    });
    const client = createRpcClient(StatsService, transport);
    const worst = new Map<string, number[]>();
    try {
      for (let round = 1; round <= pace.runs; round++) {
        for (const [name, ask] of Object.entries(QUERIES)) {
          const took = await timesOf(() => ask(client, eventIds));
          tell(
            `round ${round} of ${pace.runs}: ${name} p50 ${took.p50.toFixed(1)} ms, p95 ${took.p95.toFixed(1)} ms`,
          );
          worst.set(name, [...(worst.get(name) ?? []), took.p95]);
        }
      }
    } finally {
      transport.close();
    }
    return {
      figures: [...worst].map(([name, values]) => ({
        what: `${name}, p95`,
        values,
        unit: "ms",
        target: { first: 100, goal: 100, atMost: true },
      })),
      notes: [
        `${size.reservations.toLocaleString("en")} reservations of ${size.events} events, sold over 60 days, a third of ` +
          "each in its first four hours; written into the statistics' own tables by SQL. Asked by gRPC, one at a time.",
      ],
    };
  },
};

const addressOf = (box: BoxOffice): string => {
  const { host, port } = box.address("stats");
  return `${host}:${port}`;
};

type Ask = (stats: Client<typeof StatsService>, eventIds: readonly string[]) => Promise<unknown>;

const anyOf = (eventIds: readonly string[]): string =>
  eventIds[Math.floor(Math.random() * eventIds.length)] ?? "";

const sixtyDays = () => ({
  from: timestampFromMs(Date.now() - 60 * DAY_MS),
  until: timestampFromMs(Date.now()),
});

const QUERIES: Record<string, Ask> = {
  GetOverview: (stats) => stats.getOverview({}),
  GetEventStats: (stats, eventIds) => stats.getEventStats({ eventId: anyOf(eventIds) }),
  "ListEventStats, 50 by start": (stats) => stats.listEventStats({}),
  "ListEventStats, top 50 by revenue": (stats) => stats.listEventStats({ sort: EventStatsSort.REVENUE }),
  "GetCategoryStats (vip)": (stats) => stats.getCategoryStats({ category: "vip" }),
  ListCategoryStats: (stats) => stats.listCategoryStats({}),
  "GetSalesTimeline, an event's 60 minutes": (stats, eventIds) =>
    stats.getSalesTimeline({ eventId: anyOf(eventIds), interval: TimelineInterval.MINUTE }),
  "GetSalesTimeline, an event's 1,440 hours": (stats, eventIds) =>
    stats.getSalesTimeline({ eventId: anyOf(eventIds), interval: TimelineInterval.HOUR, ...sixtyDays() }),
  "GetSalesTimeline, 60 days of all events": (stats) =>
    stats.getSalesTimeline({ interval: TimelineInterval.DAY, ...sixtyDays() }),
};

async function timesOf(ask: () => Promise<unknown>): Promise<{ p50: number; p95: number }> {
  const times: number[] = [];
  await ask(); // statements are planned
  for (let call = 0; call < CALLS; call++) {
    const startedAtMs = performance.now();
    await ask();
    times.push(performance.now() - startedAtMs);
  }
  return { p50: quantile(times, 0.5), p95: quantile(times, 0.95) };
}
