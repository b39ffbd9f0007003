import type { Event } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { countReservations } from "../harness/counts.ts";
import { describeDisk } from "../harness/disk.ts";
import { openSale } from "../harness/events.ts";
import {
  h2loadTrouble,
  type LoadOptions,
  readLoad,
  reserveByGrpc,
  reserveByH2load,
  troubleInLoad,
} from "../harness/loads.ts";
import { median } from "../harness/numbers.ts";
import { findBestClients, prepareReferences, referenceContender } from "../harness/references.ts";
import { alternate, type Contender, explain, type Run } from "../harness/rounds.ts";
import { secondsOfLoad } from "../harness/window.ts";
import type { Bench, Figure, Mode, Report } from "../mode.ts";

const EVENTS = 30;
const TYPES_PER_EVENT = 100;

/** A crowd behind a few gateways. */
const CROWD = { connections: 4, perConnection: 64 };

/** Requests that arrive at random are not kept back: a connection takes as many as the service lets it. */
const ARRIVALS = { connections: 4, perConnection: 1_000 };

/** pgbench's clients for the usual transaction, and those among which the best is looked for. */
const USUAL_CLIENTS = 64;
const HOT_CLIENTS = [2, 4, 8];
const SPREAD_CLIENTS = [8, 16, 32];

/** How fast tickets are held: on one ticket type that everybody wants, and spread over thousands. */
export const reserve: Mode = {
  name: "reserve",
  summary: "Reserve by gRPC on one hot ticket type and over 3,000, and how long it takes at half of the peak",
  tools: ["pgbench", "h2load"],
  async run(bench) {
    const { box, pace, tell } = bench;
    tell("opening sales");
    const hot = await openSale(box, "Hot", 1);
    const spread: Event[] = [];
    for (let index = 0; index < (pace.isQuick ? 1 : EVENTS); index++)
      spread.push(await openSale(box, `Spread ${index}`, TYPES_PER_EVENT));
    const types = spread.length * TYPES_PER_EVENT;
    await prepareReferences(box, types);
    const clients = await findBestClients(bench, 1, HOT_CLIENTS);
    const spreadClients = await findBestClients(bench, types, SPREAD_CLIENTS);

    const seconds = secondsOfLoad(pace);
    const load: LoadOptions = { ...CROWD, seconds, countFrom: pace.warmUpSeconds };
    const generator = { count: countIn(bench), troubleIn: troubleInLoad };
    const runs = await alternate(bench, {
      usual: referenceContender(box, { form: "transaction", types: 1, clients: USUAL_CLIENTS }, seconds),
      best: referenceContender(box, { form: "statement", types: 1, clients }, seconds),
      hot: { start: () => reserveByGrpc(box, [hot], load), ...generator },
      withoutId: { start: () => reserveByGrpc(box, [hot], load, ""), ...generator },
      h2load: {
        start: () => reserveByH2load(box, hot, load),
        count: countIn(bench),
        troubleIn: h2loadTrouble,
      },
      usualSpread: referenceContender(box, { form: "transaction", types, clients: USUAL_CLIENTS }, seconds),
      bestSpread: referenceContender(box, { form: "statement", types, clients: spreadClients }, seconds),
      spread: { start: () => reserveByGrpc(box, spread, load), ...generator },
    });

    const disk = await describeDisk(box);
    const ratePerSecond = median(rates(runs.hot)) / 2;
    const half = await alternate(bench, {
      half: { start: () => reserveByGrpc(box, [hot], { ...load, ...ARRIVALS, ratePerSecond }), ...generator },
    });
    return {
      figures: [...rateFigures(runs, types), ...latencyFigures(half.half)],
      notes: [
        `R is the usual transaction at ${USUAL_CLIENTS} clients, B all of it in one statement at ${clients} ` +
          `(spread: ${spreadClients}), the fastest of a few.`,
        `gRPC: ${CROWD.connections} connections with ${CROWD.perConnection} requests in flight on each.`,
        ...(["best", "hot", "withoutId", "h2load", "spread"] as const).flatMap((name) =>
          explain(name, "reservation", runs[name]),
        ),
        ...explain("half of the peak", "reservation", half.half),
        disk,
      ],
    };
  },
};

const countIn =
  ({ box }: Bench): Contender["count"] =>
  (window) =>
    countReservations(box, window, "reservation");

const rates = (runs: readonly Run[]): number[] => runs.map(({ perSecond }) => perSecond);

type Rates = Record<
  "usual" | "best" | "hot" | "withoutId" | "h2load" | "usualSpread" | "bestSpread" | "spread",
  Run[]
>;

function rateFigures(runs: Rates, types: number): Report["figures"] {
  const against = (name: string, key: keyof Rates) => ({ name, values: rates(runs[key]) });
  const hot = { values: rates(runs.hot), unit: "/s" } as const;
  const spread = { values: rates(runs.spread), unit: "/s" } as const;
  return [
    {
      what: "Reserve, one hot type, gRPC, unique requests",
      ...hot,
      against: against("B", "best"),
      target: { first: 2.5, goal: 4 },
    },
    { what: "... against the usual transaction", ...hot, against: against("R", "usual") },
    {
      what: "... against h2load with one fixed body",
      ...hot,
      against: against("h2load", "h2load"),
      target: { first: 0.9, goal: 0.9 },
    },
    {
      what: "The same generator without request ids, against h2load",
      values: rates(runs.withoutId),
      unit: "/s",
      against: against("h2load", "h2load"),
    },
    {
      what: `Reserve over ${types.toLocaleString("en")} types, gRPC`,
      ...spread,
      against: against("R", "usualSpread"),
      target: { first: 1.5, goal: 1.5 },
    },
    {
      what: "... against one statement there",
      ...spread,
      against: against("B", "bestSpread"),
      target: { goal: 0.8 },
    },
  ];
}

function latencyFigures(runs: readonly Run[]): Figure[] {
  const latencies = runs.map(({ window }) => readLoad(window.printed).latencyMs);
  return [
    { what: "Reserve at half of the peak, p50", values: latencies.map(({ p50 }) => p50), unit: "ms" },
    {
      what: "Reserve at half of the peak, p99",
      values: latencies.map(({ p99 }) => p99),
      unit: "ms",
      target: { first: 50, goal: 20, atMost: true },
    },
  ];
}
