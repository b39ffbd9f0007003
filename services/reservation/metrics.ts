import { Counter, Gauge, Histogram } from "prom-client";

export const batchSize = new Histogram({
  name: "boxoffice_reserve_batch_size",
  help: "Requests decided together by one transaction.",
  buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
});

export const decisionSeconds = new Histogram({
  name: "boxoffice_reserve_decision_seconds",
  help: "Seconds from the begin of a batch of requests to its commit.",
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
});

export const holdsMade = new Counter({
  name: "boxoffice_holds_made_total",
  help: "Reservations made.",
});

/** By reason: SOLD_OUT, SALES_NOT_OPEN ... */
export const reserveRefusals = new Counter({
  name: "boxoffice_reserve_refusals_total",
  help: "Requests to reserve that were decided and got nothing.",
  labelNames: ["reason"],
});

export const expiryLagSeconds = new Gauge({
  name: "boxoffice_expiry_lag_seconds",
  help: "How long the oldest hold that ended waits for its tickets to be put back; 0 where none waits.",
});

export const holdsEnded = new Counter({
  name: "boxoffice_holds_ended_total",
  help: "Holds that the sweeper ended: by their time (expired) or with their event (cancelled).",
  labelNames: ["by"],
});

const queues: (() => number)[] = [];

/** Has the queue's depth shown. */
export function showQueue(depth: () => number): void {
  queues.push(depth);
}

new Gauge({
  name: "boxoffice_reserve_queue_depth",
  help: "Requests to reserve that wait for their batch.",
  collect() {
    this.set(queues.reduce((sum, depth) => sum + depth(), 0));
  },
});
