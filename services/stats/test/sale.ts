import { createHash } from "node:crypto";
import type { Change, ChangeBatch } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import type {
  CategoryStats,
  EventStats,
  GetSalesTimelineResponse,
  Overview,
} from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  at,
  batchOf,
  event,
  type PaymentInit,
  payment,
  type ReservationInit,
  reservation,
  ticketType,
} from "./messages.ts";

/** Numbers from 0 to below `limit` that are the same for the same seed (mulberry32). */
export type Dice = (limit: number) => number;

export function diceOf(seed: number): Dice {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) % limit;
  };
}

export function shuffled<T>(items: readonly T[], dice: Dice): T[] {
  const copy = [...items];
  for (let end = copy.length - 1; end > 0; end--) {
    const other = dice(end + 1);
    [copy[end], copy[other]] = [copy[other] as T, copy[end] as T];
  }
  return copy;
}

/** Messages cut into deliveries of 1 to `most`. */
export function deliveries(batches: readonly ChangeBatch[], most: number, dice: Dice): ChangeBatch[][] {
  const parts: ChangeBatch[][] = [];
  for (let start = 0; start < batches.length; start += parts.at(-1)?.length ?? 1) {
    parts.push(batches.slice(start, start + 1 + dice(most)));
  }
  return parts;
}

/** What a sale came to, in plain numbers: what the statistics must say. */
export type Expected = {
  events: Figures[];
  categories: Map<string, Figures>;
  overview: Figures;
  timeline: Timeline;
};

/** What happened of all events, by the minutes since noon in which something did. */
export type Timeline = Map<number, Record<string, number>>;

/** Everything in a sale happens within so many minutes. */
export const SALE_MINUTES = 1_000;

type Figures = ReturnType<typeof noFigures>;

type State = NonNullable<ReservationInit["state"]>;

/** How a reservation, and a payment, may go on. A refund is a CANCELLED after PAID. */
const NEXT: Record<State, readonly State[]> = {
  RESERVATION_STATE_UNSPECIFIED: [],
  UNSPECIFIED: [],
  HELD: ["PAYING", "EXPIRED", "CANCELLED"],
  PAYING: ["HELD", "PAID", "EXPIRED"],
  PAID: ["CANCELLED"],
  EXPIRED: [],
  CANCELLED: [],
} as Record<State, readonly State[]>;

const PAYMENT_PATHS: readonly NonNullable<PaymentInit["state"]>[][] = [
  ["PROCESSING", "SUCCEEDED"],
  ["PROCESSING", "FAILED"],
  ["PROCESSING", "UNKNOWN", "FAILED"],
  ["PROCESSING", "FAILED", "REFUNDING", "REFUNDED"],
];

/**
 * A sale of several events, message by message in the order in which it happened, and what it came to. Every
 * change is a message of its own or shares one with its neighbours.
 */
export function randomSale(dice: Dice, reservationsPerEvent: number) {
  const messages: ChangeBatch[] = [];
  const expected: Expected = {
    events: [],
    categories: new Map(),
    overview: noFigures(),
    timeline: new Map(),
  };
  for (let number = 0; number < 4; number++) sellEvent(number);
  return { messages, expected, endsAtMs: at(messages.length - 1) };

  function sellEvent(number: number): void {
    const eventId = idOf(dice);
    const say = (...changes: Change[]) => messages.push(batchOf(eventId, changes, at(messages.length)));
    const startsAtMs = at(1_000 * number);
    say(event(eventId, { state: "DRAFT", startsAtMs }));
    say(event(eventId, { version: 2, startsAtMs, name: `Event ${number}` }));
    if (dice(2) === 0)
      say(event(eventId, { version: 3, state: "CANCELLED", startsAtMs, name: `Event ${number}` }));
    const figures = noFigures();
    expected.events.push(figures);
    expected.overview.events++;

    const types = ["vip", "regular", `only ${number}`].map((category, position) => {
      const ticketTypeId = idOf(dice);
      const quantity = 10_000 + dice(1_000);
      say(ticketType(ticketTypeId, { position, category, quantity: 1 }));
      say(ticketType(ticketTypeId, { version: 2, position, category, quantity }));
      const ofCategory = expected.categories.get(category) ?? noFigures();
      expected.categories.set(category, ofCategory);
      ofCategory.events++;
      const all = [figures, ofCategory, expected.overview];
      for (const figuresOf of all) figuresOf.quantity += quantity;
      return { ticketTypeId, all, cents: 10_00 + dice(100_00) };
    });

    for (let index = 0; index < reservationsPerEvent; index++) {
      const name = idOf(dice);
      const chosen = types.slice(dice(3)).map((type) => ({ ...type, quantity: 1 + dice(8) }));
      const items = Object.fromEntries(
        chosen.map(({ ticketTypeId, quantity, cents }) => [ticketTypeId, [quantity, cents] as const]),
      );
      const minute = dice(SALE_MINUTES - 200);
      const [paidMinute, closedMinute] = [minute + dice(20), minute + 20 + dice(100)];
      const times = {
        createdMs: at(minute) + dice(60_000),
        paidMs: at(paidMinute + 1),
        closedMs: at(closedMinute),
      };
      let state: State = "HELD";
      let wasPaid = false;
      const history: Change[] = [];
      for (let version = 1; ; version++) {
        wasPaid ||= state === "PAID";
        history.push(reservation(name, { version, state, wasPaid, items, ...times }));
        const next: readonly State[] = NEXT[state];
        const chosenNext = next[dice(next.length + 1)];
        if (chosenNext === undefined) break;
        state = chosenNext;
      }
      if (dice(3) === 0) say(...history);
      else for (const change of history) say(change);
      const column = state === "PAYING" ? "held" : (state.toLowerCase() as "held");
      for (const total of [figures, expected.overview]) {
        total.reservations[column]++;
        if (wasPaid) total.reservations.everPaid++;
      }
      const happened = (inMinute: number, what: string, count: number) => {
        const flow = expected.timeline.get(inMinute) ?? {};
        expected.timeline.set(inMinute, flow);
        flow[what] = (flow[what] ?? 0) + count;
      };
      happened(minute, "reservations", 1);
      for (const { quantity, cents } of chosen) {
        happened(minute, "reserved", quantity);
        if (wasPaid) happened(paidMinute + 1, "paid", quantity);
        if (wasPaid) happened(paidMinute + 1, "revenue", quantity * cents);
        if (state === "EXPIRED") happened(closedMinute, "expired", quantity);
        if (state === "CANCELLED") happened(closedMinute, "cancelled", quantity);
        if (state === "CANCELLED" && wasPaid) happened(closedMinute, "refunded", quantity);
        if (state === "CANCELLED" && wasPaid) happened(closedMinute, "refunds", quantity * cents);
      }
      for (const { all, quantity, cents } of chosen) {
        for (const total of all) {
          total[column] += quantity;
          if (state === "CANCELLED" && wasPaid) total.refunded += quantity;
          if (state === "PAID") total.revenue += quantity * cents;
        }
      }
    }

    for (const path of PAYMENT_PATHS) {
      const paymentId = idOf(dice);
      const failureReason = dice(2) === 0 ? "CARD_DECLINED" : "PAYMENT_FAILED";
      for (const [index, state] of path.entries()) {
        const reason = state === "FAILED" ? { failureReason } : {};
        say(payment(paymentId, { version: index + 1, state, ...reason }));
      }
      if (path.at(-1) !== "FAILED") continue;
      for (const total of [figures, expected.overview]) {
        total.failures[failureReason] = (total.failures[failureReason] ?? 0) + 1;
      }
    }
  }
}

/**
 * An answer in the same plain numbers. Totals that the answer derives are checked on the way.
 *
 * @param isUnderWay whether messages are still to come: tickets of a type may then be held before anybody has told how
 *   many of it there are, and such a type has none available, rather than fewer than none
 */
export function figuresIn(answer: EventStats | CategoryStats | Overview, isUnderWay = false): Figures {
  const { held, paid, expired, cancelled, refunded, quantity, revenue, available, reserved } = answer;
  const isAvailable = isUnderWay ? available >= quantity - reserved : available === quantity - reserved;
  if (reserved !== held + paid || !isAvailable) throw new Error("the figures do not add up");
  const reservations = "reservations" in answer ? answer.reservations : undefined;
  const failures = "paymentFailures" in answer ? answer.paymentFailures : [];
  return {
    events: "events" in answer ? Number(answer.events) : 0,
    ...{ held: Number(held), paid: Number(paid), expired: Number(expired) },
    ...{ cancelled: Number(cancelled), refunded: Number(refunded), quantity: Number(quantity) },
    revenue: Number(revenue?.minorUnits),
    reservations: {
      held: Number(reservations?.held ?? 0),
      paid: Number(reservations?.paid ?? 0),
      expired: Number(reservations?.expired ?? 0),
      cancelled: Number(reservations?.cancelled ?? 0),
      everPaid: Number(reservations?.everPaid ?? 0),
    },
    failures: Object.fromEntries(failures.map(({ reason, count }) => [reason, Number(count)])),
  };
}

/** A timeline by minutes from noon on, in the same plain numbers. */
export function timelineIn({ intervals }: GetSalesTimelineResponse): Timeline {
  const flows = intervals.map(({ startTime, sales }, minute): [number, Record<string, number>] => {
    if (startTime === undefined || timestampMs(startTime) !== at(minute))
      throw new Error("a minute is missing");
    const { revenue, refunds, $typeName: _, ...counts } = { ...sales };
    const money = { revenue: revenue?.minorUnits, refunds: refunds?.minorUnits };
    const numbers = Object.entries({ ...counts, ...money }).map(([name, count]) => [name, Number(count)]);
    return [minute, Object.fromEntries(numbers.filter(([, count]) => count !== 0))];
  });
  return new Map(flows.filter(([, flow]) => Object.keys(flow).length > 0));
}

function noFigures() {
  return {
    events: 0,
    ...{ held: 0, paid: 0, expired: 0, cancelled: 0, refunded: 0, quantity: 0, revenue: 0 },
    reservations: { held: 0, paid: 0, expired: 0, cancelled: 0, everPaid: 0 },
    failures: {} as Record<string, number>,
  };
}

/** A UUID by the dice. */
function idOf(dice: Dice): string {
  const hex = createHash("sha256")
    .update(`${dice(2 ** 31)} ${dice(2 ** 31)}`)
    .digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    "-",
  );
}
