import type { Database } from "@boxoffice/platform/database.ts";
import { Counter, Gauge, Histogram } from "prom-client";
import { countUnsettled } from "./store/read.ts";

/** `outcome`: answered, refused (a definite failure), not_sent (nobody was asked), or unknown. */
export const providerCalls = new Counter({
  name: "boxoffice_payment_provider_calls_total",
  help: "Calls to the payment provider, by what became of them",
  labelNames: ["call", "outcome"],
});

export const providerCallSeconds = new Histogram({
  name: "boxoffice_payment_provider_call_duration_seconds",
  help: "How long the payment provider took, until it answered or was given up",
  labelNames: ["call"],
  buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
});

export const breakerState = new Gauge({
  name: "boxoffice_payment_provider_breaker_state",
  help: "Whether the payment provider is asked for money: 0 yes, 1 one call tries it, 2 not for now",
});

/** How many payments somebody has to watch, and since when, counted whenever the metrics are read. */
export function measureUnsettled(database: Database): void {
  const payments = new Gauge({
    name: "boxoffice_payment_unsettled_payments",
    help: "Payments that are UNKNOWN, REFUND_DUE or REFUNDING; the same on every replica",
    labelNames: ["state"],
    async collect() {
      // Without an answer there is no figure: a zero would be a lie.
      const counts = await countUnsettled(database).catch(() => []);
      payments.reset();
      seconds.reset();
      for (const { state, count, oldestSeconds } of counts) {
        payments.set({ state }, count);
        seconds.set({ state }, oldestSeconds);
      }
    },
  });
  const seconds = new Gauge({
    name: "boxoffice_payment_unsettled_oldest_seconds",
    help: "How long the oldest of these has been in its state",
    labelNames: ["state"],
  });
}
