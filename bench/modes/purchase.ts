import { countPurchases } from "../harness/counts.ts";
import { openSale } from "../harness/events.ts";
import { purchaseByHttp, readLoad, troubleInLoad } from "../harness/loads.ts";
import { findBestClients, prepareReferences, referenceContender } from "../harness/references.ts";
import { alternate, explain } from "../harness/rounds.ts";
import { secondsOfLoad } from "../harness/window.ts";
import type { Mode } from "../mode.ts";

/** So many buyers at a time, each with a connection of their own. */
const BUYERS = 64;
const REFERENCE_CLIENTS = [2, 4, 8];

/** How fast tickets are bought: each purchase is two calls through the gateway, of which the second waits for money. */
export const purchase: Mode = {
  name: "purchase",
  summary: "Reserve and then pay through the gateway, whole purchases of one hot ticket type",
  tools: ["pgbench"],
  async run(bench) {
    const { box, pace, tell } = bench;
    tell("opening a sale");
    const hot = await openSale(box, "Hot", 1);
    await prepareReferences(box, 1);
    const clients = await findBestClients(bench, 1, REFERENCE_CLIENTS);
    const seconds = secondsOfLoad(pace);
    const load = { connections: BUYERS, perConnection: 1, seconds, countFrom: pace.warmUpSeconds };
    const runs = await alternate(bench, {
      best: referenceContender(box, { form: "statement", types: 1, clients }, seconds),
      purchase: {
        start: () => purchaseByHttp(box, hot, load),
        count: (window) => countPurchases(box, window),
        troubleIn: troubleInLoad,
      },
    });
    const latencies = runs.purchase.map(({ window }) => readLoad(window.printed).latencyMs);
    return {
      figures: [
        {
          what: "Whole purchases, one hot type, HTTP/1.1 through the gateway",
          values: runs.purchase.map(({ perSecond }) => perSecond),
          unit: "/s",
          against: { name: "B", values: runs.best.map(({ perSecond }) => perSecond) },
          target: { first: 0.3, goal: 0.6 },
        },
        { what: "Reserve and pay under that load, p50", values: latencies.map(({ p50 }) => p50), unit: "ms" },
        { what: "Reserve and pay under that load, p99", values: latencies.map(({ p99 }) => p99), unit: "ms" },
      ],
      notes: [
        `B is a reservation in one statement at ${clients} clients, the fastest of a few: it pays for nothing.`,
        `${BUYERS} buyers, each with a connection; the provider is the sandbox, which answers at once.`,
        ...explain("best", "reservation", runs.best),
        ...explain("purchase", "purchase", runs.purchase),
      ],
    };
  },
};
