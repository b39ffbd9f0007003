import type { Event } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { BoxOffice } from "../harness/box-office.ts";
import { countReservations } from "../harness/counts.ts";
import { openSale } from "../harness/events.ts";
import { fillHistory, fillHolds } from "../harness/fill.ts";
import { type LoadOptions, reserveByGrpc, troubleInLoad } from "../harness/loads.ts";
import { alternate, type Contender, explain, type Run } from "../harness/rounds.ts";
import { secondsOfLoad } from "../harness/window.ts";
import type { Bench, Mode } from "../mode.ts";

const STORED = 10_000_000;
const PAST_EVENTS = 100;
const LIVE_HOLDS = 50_000;
const QUICK_PART = 0.01;
const DAY_MS = 86_400_000;

const CROWD = { connections: 4, perConnection: 64 };

/** Whether selling slows down as reservations pile up: beside an empty box office, a full one on the same machine. */
export const stored: Mode = {
  name: "stored",
  summary:
    "Reserve with 10 million reservations stored, and with 50,000 live holds, against an empty database",
  tools: [],
  async run(bench) {
    const { box: empty, pace, tell, openAnother } = bench;
    const part = pace.isQuick ? QUICK_PART : 1;
    tell("starting a second box office");
    const full = await openAnother();
    for (let index = 1; index <= PAST_EVENTS; index++) {
      if (index % 10 === 1) tell(`filling it: ${index - 1} of ${PAST_EVENTS} past events`);
      await fillHistory(full, await openSale(full, `Past ${index}`, 1), (STORED / PAST_EVENTS) * part);
    }
    await full.database.query({ text: "vacuum analyze" });

    const load = { ...CROWD, seconds: secondsOfLoad(pace), countFrom: pace.warmUpSeconds };
    const nothing = await openSales(bench, empty, "Nothing yet");
    const history = await openSales(bench, full, "After ten million");
    const crowded = await openSales(bench, empty, "Many holds");
    const holds = { firstEndsAt: new Date(Date.now() + DAY_MS), withinMs: DAY_MS };
    for (const event of crowded) await fillHolds(empty, event, LIVE_HOLDS * part, holds);
    const runs = await alternate(bench, {
      empty: contender(empty, nothing, load),
      stored: contender(full, history, load),
      holds: contender(empty, crowded, load),
    });
    const target = { first: 0.9, goal: 1 };
    const against = { name: "empty", values: rates(runs.empty) };
    const shown = (count: number) => Math.round(count * part).toLocaleString("en");
    return {
      figures: [
        {
          what: `Reserve with ${shown(STORED)} stored`,
          values: rates(runs.stored),
          unit: "/s",
          against,
          target,
        },
        {
          what: `Reserve with ${shown(LIVE_HOLDS)} live holds on the type`,
          values: rates(runs.holds),
          unit: "/s",
          against,
          target,
        },
      ],
      notes: [
        "Every round sells an event that nobody has reserved yet. Empty: but for what the rounds before left.",
        ...(["empty", "stored", "holds"] as const).flatMap((name) =>
          explain(name, "reservation", runs[name]),
        ),
      ],
    };
  },
};

/** A sale for each round. */
async function openSales({ pace }: Bench, box: BoxOffice, name: string): Promise<Event[]> {
  const events: Event[] = [];
  for (let round = 1; round <= pace.runs; round++) events.push(await openSale(box, `${name} ${round}`, 1));
  return events;
}

function contender(box: BoxOffice, events: readonly Event[], load: LoadOptions): Contender {
  const left = [...events];
  return {
    box,
    start: () => reserveByGrpc(box, left.splice(0, 1), load),
    count: (window) => countReservations(box, window, "reservation"),
    troubleIn: troubleInLoad,
  };
}

const rates = (runs: readonly Run[]): number[] => runs.map(({ perSecond }) => perSecond);
