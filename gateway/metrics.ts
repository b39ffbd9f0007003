import { type Observe, QuickHistogram } from "@boxoffice/platform/quick-histogram.ts";
import { Counter, Gauge } from "prom-client";

export const shed = new Counter({
  name: "boxoffice_gateway_shed_total",
  help: "Requests that were refused because there were too many, by the service that they were for.",
  labelNames: ["service"],
});

export const rateLimited = new Counter({
  name: "boxoffice_gateway_rate_limited_total",
  help: "Requests that were refused because their client had sent too many.",
});

const DURATION = new QuickHistogram({
  name: "boxoffice_gateway_request_duration_seconds",
  help: "How long requests took until their answer was written, by what they asked for and the status.",
  labels: ["route", "status"],
  buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
});

const OBSERVERS = new Map<string, (Observe | undefined)[]>();

/** @param route one of few: a path that somebody made up would make a series of its own */
export function noteRequest(route: string, status: number, seconds: number): void {
  const byStatus = OBSERVERS.get(route) ?? [];
  if (byStatus.length === 0) OBSERVERS.set(route, byStatus);
  byStatus[status] ??= DURATION.series({ route, status: String(status) });
  byStatus[status](seconds);
}

/** Shows what is open at the moment. */
export function showOpen(gauges: { connections(): number; feeds(): number; inFlight(): number }): void {
  show("boxoffice_gateway_connections", "Connections that are open.", gauges.connections);
  show("boxoffice_gateway_feeds", "Streams from services that clients share.", gauges.feeds);
  show("boxoffice_gateway_requests_in_flight", "Requests that wait for a service.", gauges.inFlight);
}

function show(name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    collect() {
      this.set(read());
    },
  });
}
