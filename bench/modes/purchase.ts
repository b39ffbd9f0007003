import { countPurchases } from "../harness/counts.ts";
import { openSale } from "../harness/events.ts";
import { purchaseByHttp, readLoad, troubleInLoad } from "../harness/loads.ts";
import { findBestClients, prepareReferences, referenceContender } from "../harness/references.ts";
import { alternate, explain, type Run } from "../harness/rounds.ts";
import { secondsOfLoad, type Window } from "../harness/window.ts";
import type { Figure, Mode } from "../mode.ts";

/** So many buyers at a time, each with a connection of their own. */
const FEW = 64;
const CROWD = 256;
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
    const buyers = (connections: number) => ({
      start: () =>
        purchaseByHttp(box, hot, { connections, perConnection: 1, seconds, countFrom: pace.warmUpSeconds }),
      count: (window: Window) => countPurchases(box, window),
      troubleIn: troubleInLoad,
    });
    const runs = await alternate(bench, {
      best: referenceContender(box, { form: "statement", types: 1, clients }, seconds),
      few: buyers(FEW),
      crowd: buyers(CROWD),
    });
    const best = { name: "B", values: ratesOf(runs.best) };
    const target = { first: 0.3, goal: 0.6 };
    return {
      figures: [
        {
          what: `Whole purchases, one hot type, HTTP/1.1 through the gateway, ${FEW} buyers`,
          ...{ values: ratesOf(runs.few), unit: "/s", against: best, target },
        },
        ...latencies(FEW, runs.few),
        {
          what: `The same with ${CROWD} buyers`,
          ...{ values: ratesOf(runs.crowd), unit: "/s", against: best, target },
        },
        ...latencies(CROWD, runs.crowd),
      ],
      notes: [
        `B is a reservation in one statement at ${clients} clients, the fastest of a few: it pays for nothing.`,
        "Each buyer has a connection, and waits for each answer; the provider is the sandbox, which answers at once.",
        "Few buyers wait for several commits, one after the other, in each purchase: their rate is the disk's. A crowd shares its commits.",
        ...explain("best", "reservation", runs.best),
        ...explain("few", "purchase", runs.few),
        ...explain("crowd", "purchase", runs.crowd),
      ],
    };
  },
};

const ratesOf = (runs: readonly Run[]) => runs.map(({ perSecond }) => perSecond);

function latencies(buyers: number, runs: readonly Run[]): Figure[] {
  const read = runs.map(({ window }) => readLoad(window.printed).latencyMs);
  const what = `A call under the load of ${buyers} buyers`;
  return [
    { what: `${what}, p50`, values: read.map(({ p50 }) => p50), unit: "ms" },
    { what: `${what}, p99`, values: read.map(({ p99 }) => p99), unit: "ms" },
  ];
}
