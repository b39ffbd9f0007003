import { setTimeout as delay } from "node:timers/promises";
import type { Event } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { BoxOffice } from "../harness/box-office.ts";
import { catchUp, countReservations, settle } from "../harness/counts.ts";
import { processesOf } from "../harness/cpu.ts";
import { openSale } from "../harness/events.ts";
import { type LoadOptions, reserveByGrpc, troubleInLoad } from "../harness/loads.ts";
import { quantile } from "../harness/numbers.ts";
import { measureWindow, secondsOfLoad } from "../harness/window.ts";
import type { Bench, Mode } from "../mode.ts";

/** As the reserve mode loads one hot type: a crowd behind a few gateways. */
const CROWD = { connections: 4, perConnection: 64 };

const LOOK_EVERY_MS = 20;

/** One reservation after the other, with nothing else to do. */
const QUIET_RESERVATIONS = 20;
const QUIET_PAUSE_MS = 150;
const COUNTED_LIMIT_MS = 10 * 60_000;

/** How far the statistics are behind the sale, and how much faster they count than anybody sells. */
export const stats: Mode = {
  name: "stats",
  summary:
    "How far the statistics are behind the sale, at its peak and when it is quiet, and how fast they count",
  tools: [],
  async run(bench) {
    const { box, pace, tell } = bench;
    const hot = await openSale(box, "Counted", 1);
    const peaks: Peak[] = [];
    const quiet: number[] = [];
    const counted: number[] = [];
    for (let round = 1; round <= pace.runs; round++) {
      const peak = await lagAtPeak(bench, hot);
      const perSecond = await countBacklog(bench, hot);
      const quietMs = await lagWhenQuiet(box, hot);
      tell(
        `round ${round} of ${pace.runs}: ${Math.round(peak.perSecond)} reserved/s, behind by ${Math.round(peak.p99Ms)} ms ` +
          `(p99), when quiet ${Math.round(quietMs)} ms; ${Math.round(perSecond)} counted/s`,
      );
      peaks.push(peak);
      quiet.push(quietMs);
      counted.push(perSecond);
    }
    const trouble = [...new Set(peaks.flatMap((peak) => peak.trouble))];
    return {
      figures: [
        {
          what: "Statistics behind the sale at its peak, p99",
          values: peaks.map(({ p99Ms }) => p99Ms),
          unit: "ms",
          target: { first: 1_000, goal: 500, atMost: true },
        },
        { what: "... p50", values: peaks.map(({ p50Ms }) => p50Ms), unit: "ms" },
        {
          what: "Statistics behind the sale when it is quiet, worst",
          values: quiet,
          unit: "ms",
          target: { first: 200, goal: 200, atMost: true },
        },
        {
          what: "Reservations counted from a backlog",
          values: counted,
          unit: "/s",
          against: { name: "reserved at the peak", values: peaks.map(({ perSecond }) => perSecond) },
          target: { first: 3, goal: 3 },
        },
      ],
      notes: [
        `Behind: how old the newest change is that is counted, looked at every ${LOOK_EVERY_MS} ms by the database's ` +
          "clock; a moment between two batches counts with all of its wait.",
        "Counted from a backlog: the process is stopped during a load as at the peak, and goes on when the load is " +
          "over; from the first reservation that it counts to the last.",
        ...(trouble.length > 0 ? [`TROUBLE: ${trouble.join(", ")}`] : []),
      ],
    };
  },
};

type Peak = { perSecond: number; p50Ms: number; p99Ms: number; trouble: string[] };

async function lagAtPeak({ box, pace }: Bench, event: Event): Promise<Peak> {
  await settle(box);
  const looking = new AbortController();
  const load = reserveByGrpc(box, [event], loadOf(pace));
  const looks = lookAtLag(box, looking.signal);
  const window = await measureWindow(box, pace, load);
  looking.abort();
  const lags = (await looks)
    .filter(({ at }) => at >= window.from && at < window.until)
    .map(({ lagMs }) => lagMs);
  await catchUp(box);
  const { units } = await countReservations(box, window, "reservation");
  return {
    perSecond: units / window.seconds,
    p50Ms: quantile(lags, 0.5),
    p99Ms: quantile(lags, 0.99),
    trouble: troubleInLoad(window.printed),
  };
}

const loadOf = (pace: Bench["pace"]): LoadOptions => ({
  ...CROWD,
  seconds: secondsOfLoad(pace),
  countFrom: pace.warmUpSeconds,
});

async function lookAtLag(
  { database }: BoxOffice,
  signal: AbortSignal,
): Promise<{ at: Date; lagMs: number }[]> {
  const looks: { at: Date; lagMs: number }[] = [];
  while (!signal.aborted) {
    const [row] = await database.query<{ at: Date; as_of: Date | null }>({
      name: "look-at-lag",
      text: "select clock_timestamp() as at, as_of from stats.progress",
    });
    if (row?.as_of) looks.push({ at: row.at, lagMs: row.at.getTime() - row.as_of.getTime() });
    await delay(LOOK_EVERY_MS);
  }
  return looks;
}

/** How many reservations a second are counted of those that a load leaves while nobody counts. */
async function countBacklog({ box, pace }: Bench, event: Event): Promise<number> {
  const before = await heldOf(box, event);
  const pids = processesOf("stats");
  if (pids.length === 0) throw new Error("the process that counts is not found: this takes Linux");
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  try {
    await reserveByGrpc(box, [event], loadOf(pace)).printed;
    await untilPublished(box);
  } finally {
    for (const pid of pids) process.kill(pid, "SIGCONT");
  }
  const [row] = await box.database.query<{ made: bigint }>({
    text: "select count(*) as made from reservation.reservations where event_id = $1",
    values: [event.eventId],
  });
  const made = Number(row?.made ?? 0);
  let first: { held: number; atMs: number } | undefined;
  for (const startedAtMs = performance.now(); ; ) {
    const held = await heldOf(box, event);
    const nowMs = performance.now();
    if (held > before) first ??= { held, atMs: nowMs };
    if (held >= made && first) return (made - first.held) / ((nowMs - first.atMs) / 1_000);
    if (nowMs - startedAtMs > COUNTED_LIMIT_MS) throw new Error(`only ${held} of ${made} are counted`);
    await delay(LOOK_EVERY_MS);
  }
}

/** All reservations of the event are held, one ticket each. */
async function heldOf({ database }: BoxOffice, { eventId }: Event): Promise<number> {
  const [row] = await database.query<{ held: bigint }>({
    name: "held-of-event",
    text: "select held from stats.live_event_counts where event_id = $1",
    values: [eventId],
  });
  return Number(row?.held ?? 0);
}

async function untilPublished({ database }: BoxOffice): Promise<void> {
  for (;;) {
    const rows = await database.query({
      text: "select 1 from reservation.outbox where published_at is null limit 1",
    });
    if (rows.length === 0) return;
    await delay(LOOK_EVERY_MS);
  }
}

/** The longest that one reservation took to be counted when there was no other, in milliseconds. */
async function lagWhenQuiet({ clients, database }: BoxOffice, event: Event): Promise<number> {
  const items = [{ ticketTypeId: event.ticketTypes[0]?.ticketTypeId ?? "", quantity: 1 }];
  let worst = 0;
  for (let index = 0; index < QUIET_RESERVATIONS; index++) {
    await delay(QUIET_PAUSE_MS);
    const { reservation } = await clients.reservation.reserve({ eventId: event.eventId, items });
    if (reservation?.createTime === undefined) throw new Error("an answer without its reservation");
    const madeAt = timestampDate(reservation.createTime);
    for (;;) {
      const [row] = await database.query<{ at: Date; is_counted: boolean }>({
        name: "is-counted",
        text: "select clock_timestamp() as at, as_of >= $1 as is_counted from stats.progress",
        values: [madeAt],
      });
      const waitedMs = (row?.at.getTime() ?? 0) - madeAt.getTime();
      if (waitedMs > COUNTED_LIMIT_MS) throw new Error("a reservation is not counted");
      if (row?.is_counted) {
        worst = Math.max(worst, waitedMs);
        break;
      }
      await delay(1);
    }
  }
  return worst;
}
