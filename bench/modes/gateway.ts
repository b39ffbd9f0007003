import { startBareServer } from "../harness/bare-server.ts";
import { countReservations } from "../harness/counts.ts";
import { openSale } from "../harness/events.ts";
import {
  besiege,
  getByH2load,
  h2loadTrouble,
  readH2load,
  readLoad,
  readViewers,
  reserveByHttp,
  troubleInLoad,
  watchByHttp,
} from "../harness/loads.ts";
import type { Program } from "../harness/program.ts";
import { findBestClients, prepareReferences, referenceContender } from "../harness/references.ts";
import { alternate, type Contender, explain, type Run } from "../harness/rounds.ts";
import { secondsOfLoad } from "../harness/window.ts";
import type { Bench, Mode } from "../mode.ts";

/** Buyers at a time, each with a connection of their own; and five times as many as it takes. */
const BUYERS = 64;
const CROWD = 5 * BUYERS;
const REFERENCE_CLIENTS = [2, 4, 8];

/** While so many watch, others buy, so many a second. */
const VIEWERS = 2_000;
const SALE_PER_SECOND = 300;
const VIEWERS_SECONDS = 15;

/** Buyers who arrive at random moments, so many a second, while thousands of others send what they should not. */
const HONEST_PER_SECOND = 300;
const SIEGE = { slowSenders: 1_000, slowReaders: 500, badPerSecond: 100 };
/** The siege begins before the honest and ends after them. */
const SIEGE_MARGIN_SECONDS = 2;

/** What the browsers' door takes: sales, reads that everybody makes, viewers who see it live, and too many at once. */
export const gateway: Mode = {
  name: "gateway",
  summary:
    "the gateway: Reserve over HTTP/1.1, reads by GET, 2,000 live viewers, five times as many as it can take, a siege",
  tools: ["pgbench", "h2load"],
  // The limits count, as in use, but let one address do everything.
  settings: { RATE_LIMIT_RPS: "1000000", CONNECTIONS_PER_CLIENT: "0" },
  async run(bench) {
    const { box, pace, tell } = bench;
    tell("opening sales");
    const hot = await openSale(box, "Hot", 1);
    const watched = await openSale(box, "Watched", 2);
    await prepareReferences(box, 1);
    const clients = await findBestClients(bench, 1, REFERENCE_CLIENTS);
    const seconds = secondsOfLoad(pace);
    const load = { perConnection: 1, seconds, countFrom: pace.warmUpSeconds };

    const reading = (name: string) => {
      const { host, port } = box.address("gateway");
      const message = encodeURIComponent(JSON.stringify({ eventId: hot.eventId }));
      return `http://${host}:${port}/boxoffice.${name}?encoding=json&message=${message}`;
    };
    const urls = {
      availability: reading("reservation.v1.ReservationService/GetAvailability"),
      event: reading("catalog.v1.CatalogService/GetEvent"),
    };
    const bare = {
      availability: await startBareServer(urls.availability),
      event: await startBareServer(urls.event),
    };
    try {
      const runs = await alternate(bench, {
        best: referenceContender(box, { form: "statement", types: 1, clients }, seconds),
        reserve: reserving(bench, () => reserveByHttp(box, hot, { ...load, connections: BUYERS })),
        crowd: reserving(bench, () => reserveByHttp(box, hot, { ...load, connections: CROWD })),
        availability: getting(() => getByH2load(urls.availability, BUYERS, seconds), seconds),
        bareAvailability: getting(() => getByH2load(bare.availability.url, BUYERS, seconds), seconds),
        event: getting(() => getByH2load(urls.event, BUYERS, seconds), seconds),
        bareEvent: getting(() => getByH2load(bare.event.url, BUYERS, seconds), seconds),
      });

      // After the rates: the addresses of thousands of closed connections are taken for a minute.
      const honest = { ...load, connections: BUYERS, ratePerSecond: HONEST_PER_SECOND };
      const besieged = await alternate(bench, {
        calm: reserving(bench, () => reserveByHttp(box, hot, honest)),
        besieged: reserving(bench, () => {
          const { pathname, search } = new URL(urls.availability);
          const lasts = { seconds: seconds + SIEGE_MARGIN_SECONDS, readPath: pathname + search };
          return during(besiege(box, { ...SIEGE, ...lasts }), () => reserveByHttp(box, hot, honest));
        }),
      });

      tell(`${VIEWERS} viewers`);
      const watchSeconds = pace.isQuick ? 3 : VIEWERS_SECONDS;
      const [sold, seen] = watched.ticketTypes;
      if (sold === undefined || seen === undefined) throw new Error("there are two ticket types");
      const viewing = watchByHttp(box, {
        viewers: pace.isQuick ? 100 : VIEWERS,
        eventId: watched.eventId,
        ticketTypeId: seen.ticketTypeId,
        seconds: watchSeconds,
        countFrom: pace.warmUpSeconds,
      });
      await viewing.started;
      const sale = reserveByHttp(
        box,
        { eventId: watched.eventId, ticketTypes: [sold] },
        { ...load, connections: BUYERS, ratePerSecond: SALE_PER_SECOND, seconds: watchSeconds },
      );
      const [saleResult, viewers] = [readLoad(await sale.printed), readViewers(await viewing.printed)];

      const latencies = (which: Run[]) => which.map(({ window }) => readLoad(window.printed).latencyMs);
      const rates = (which: Run[]) => which.map(({ perSecond }) => perSecond);
      return {
        figures: [
          {
            what: `Reserve, one hot type, HTTP/1.1 through the gateway, unique requests, ${BUYERS} connections`,
            values: rates(runs.reserve),
            unit: "/s",
            against: { name: "B", values: rates(runs.best) },
            target: { first: 1.5, goal: 3 },
          },
          { what: "... p99", values: latencies(runs.reserve).map(({ p99 }) => p99), unit: "ms" },
          {
            what: `Reserve with ${CROWD} connections, against ${BUYERS}`,
            values: rates(runs.crowd),
            unit: "/s",
            against: { name: "64", values: rates(runs.reserve) },
            target: { first: 0.8, goal: 0.8 },
          },
          { what: "... p99", values: latencies(runs.crowd).map(({ p99 }) => p99), unit: "ms" },
          {
            what: "GetAvailability by GET, against bare node:http sending the same bytes",
            values: rates(runs.availability),
            unit: "/s",
            against: { name: "bare", values: rates(runs.bareAvailability) },
            target: { first: 0.5, goal: 0.8 },
          },
          {
            what: "GetEvent by GET, against bare node:http sending the same bytes",
            values: rates(runs.event),
            unit: "/s",
            against: { name: "bare", values: rates(runs.bareEvent) },
            target: { first: 0.5, goal: 0.8 },
          },
          {
            what: `Reserve by ${HONEST_PER_SECOND} buyers a second during a siege, p99`,
            values: latencies(besieged.besieged).map(({ p99 }) => p99),
            unit: "ms",
            against: { name: "calm", values: latencies(besieged.calm).map(({ p99 }) => p99) },
            target: { first: 2, goal: 2, atMost: true },
          },
          {
            what: `${VIEWERS.toLocaleString("en")} live viewers: a change seen, p95`,
            values: [viewers.seenMs.p95],
            unit: "ms",
            target: { first: 1_000, goal: 300, atMost: true },
          },
        ],
        notes: [
          `B is a reservation in one statement at ${clients} clients, the fastest of a few.`,
          `viewers: ${viewers.changes} changes, p50 ${viewers.seenMs.p50.toFixed(0)} ms, p99 ` +
            `${viewers.seenMs.p99.toFixed(0)} ms, max ${viewers.seenMs.max.toFixed(0)} ms, ${viewers.unseen} not seen, ` +
            `${viewers.lost} lost; ${saleResult.completed} sold beside it, p99 ${saleResult.latencyMs.p99.toFixed(0)} ms`,
          `siege: ${SIEGE.slowSenders} slow senders, ${SIEGE.slowReaders} who never read, at most ` +
            `${SIEGE.badPerSecond} bad requests a second, and sessions of HTTP/2 that reset what they open`,
          ...(["calm", "besieged"] as const).flatMap((name) => explain(name, "reservation", besieged[name])),
          ...(["best", "reserve", "crowd"] as const).flatMap((name) =>
            explain(name, "reservation", runs[name]),
          ),
          ...(["availability", "bareAvailability", "event", "bareEvent"] as const).flatMap((name) =>
            explain(name, "read", runs[name]),
          ),
        ],
      };
    } finally {
      await bare.availability.end();
      await bare.event.end();
    }
  },
};

function reserving({ box }: Bench, start: Contender["start"]): Contender {
  return {
    start,
    count: (window) => countReservations(box, window, "reservation"),
    troubleIn: troubleInLoad,
  };
}

/** Puts load on while another program does something, which is to end well too. */
function during(other: Program, start: Contender["start"]): Program {
  const load = other.started.then(start);
  const printed = load.then(async (program) => {
    const [said] = await Promise.all([program.printed, other.printed]);
    return said;
  });
  printed.catch(() => {}); // whoever started it awaits it, a little later
  return { started: load.then(({ started }) => started), printed };
}

/** Reads leave no rows behind: what the generator counted, by the time that its window took. */
function getting(start: Contender["start"], seconds: number): Contender {
  return {
    start,
    count: async (window) => ({
      units: (readH2load(window.printed).succeeded / Math.ceil(seconds)) * window.seconds,
    }),
    troubleIn: h2loadTrouble,
  };
}
