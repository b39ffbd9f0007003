import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  categoryKey,
  newest,
  type Payment,
  RESERVATION_STATES,
  type Reservation,
  type ReservationState,
  replacements,
} from "../domain/changes.ts";
import { countChanges, failureChanges, type ReservationCounts, type TicketCounts } from "../domain/counts.ts";
import { conversionOf, sellThroughOf, type TicketFigures, totalOf } from "../domain/figures.ts";
import { ALL_EVENTS, type Flow, noFlow } from "../domain/flow.ts";
import { bucketOf, timeOf } from "../domain/pay-time.ts";

const NO_TICKETS: TicketCounts = {
  held: 0,
  paid: 0,
  expired: 0,
  cancelled: 0,
  refunded: 0,
  revenueMinor: 0n,
};
const NO_RESERVATIONS: ReservationCounts = { held: 0, paid: 0, expired: 0, cancelled: 0, everPaid: 0 };

const MINUTE = 60_000;

const reservation = (init: Partial<Reservation> = {}): Reservation => ({
  id: "r",
  eventId: "e",
  version: 1n,
  state: "HELD",
  createdMs: 0,
  paidMs: null,
  closedMs: null,
  items: [{ ticketTypeId: "t", quantity: 3, unitPriceMinor: 20_00 }],
  ...init,
});

const countsOf = (one: Reservation) => countChanges([{ before: undefined, after: one }]);

describe("what a reservation contributes", () => {
  test.each<[ReservationState, number | null, Partial<TicketCounts>, Partial<ReservationCounts>]>([
    ["HELD", null, { held: 3 }, { held: 1 }],
    ["PAYING", null, { held: 3 }, { held: 1 }],
    ["PAID", 5, { paid: 3, revenueMinor: 60_00n }, { paid: 1, everPaid: 1 }],
    ["EXPIRED", null, { expired: 3 }, { expired: 1 }],
    ["CANCELLED", null, { cancelled: 3 }, { cancelled: 1 }],
    ["CANCELLED", 5, { cancelled: 3, refunded: 3 }, { cancelled: 1, everPaid: 1 }],
  ])("%s, paid at %s", (state, paidMs, tickets, reservations) => {
    const counts = countsOf(reservation({ state, paidMs }));
    expect(counts.tickets).toEqual(new Map([["t", { ...NO_TICKETS, ...tickets }]]));
    expect(counts.reservations).toEqual(new Map([["e", { ...NO_RESERVATIONS, ...reservations }]]));
  });

  test("several types, one of them twice", () => {
    const items = [
      { ticketTypeId: "a", quantity: 1, unitPriceMinor: 5 },
      { ticketTypeId: "b", quantity: 2, unitPriceMinor: 7 },
      { ticketTypeId: "a", quantity: 4, unitPriceMinor: 0 },
    ];
    expect(countsOf(reservation({ state: "PAID", paidMs: 1, items })).tickets).toEqual(
      new Map([
        ["a", { ...NO_TICKETS, paid: 5, revenueMinor: 5n }],
        ["b", { ...NO_TICKETS, paid: 2, revenueMinor: 14n }],
      ]),
    );
  });

  test.each<[string, Partial<Reservation>, [minute: number, flow: Partial<Flow>][]]>([
    ["HELD", {}, [[100, { reservations: 1, reserved: 3 }]]],
    [
      "PAID",
      { state: "PAID", paidMs: 103 * MINUTE },
      [
        [100, { reservations: 1, reserved: 3 }],
        [103, { paid: 3, revenueMinor: 60_00n }],
      ],
    ],
    [
      "EXPIRED",
      { state: "EXPIRED", closedMs: 116 * MINUTE - 1 },
      [
        [100, { reservations: 1, reserved: 3 }],
        [115, { expired: 3 }],
      ],
    ],
    [
      "refunded",
      { state: "CANCELLED", paidMs: 101 * MINUTE, closedMs: 300 * MINUTE },
      [
        [100, { reservations: 1, reserved: 3 }],
        [101, { paid: 3, revenueMinor: 60_00n }],
        [300, { cancelled: 3, refunded: 3, refundsMinor: 60_00n }],
      ],
    ],
    [
      "refunded, for nothing",
      {
        state: "CANCELLED",
        paidMs: 100 * MINUTE,
        closedMs: 100 * MINUTE,
        items: [{ ticketTypeId: "t", quantity: 1, unitPriceMinor: 0 }],
      },
      [[100, { reservations: 1, reserved: 1, paid: 1, cancelled: 1, refunded: 1 }]],
    ],
  ])("to the minutes and quarters in which it was %s, of its event and of all", (_, init, minutes) => {
    const { timeline } = countsOf(reservation({ createdMs: 100 * MINUTE, ...init }));
    for (const eventId of ["e", ALL_EVENTS]) {
      const of = (length: 1 | 15) =>
        timeline
          .filter((slot) => slot.eventId === eventId && slot.minutes === length)
          .map(({ startMs, flow }) => [startMs / MINUTE, flow]);
      expect(of(1)).toEqual(minutes.map(([minute, flow]) => [minute, { ...noFlow(), ...flow }]));
      const total = (slots: (readonly [unknown, Partial<Flow>])[], name: keyof Flow) =>
        slots.reduce((sum, [, flow]) => sum + Number(flow[name] ?? 0), 0);
      for (const name of Object.keys(noFlow()) as (keyof Flow)[]) {
        expect(total(of(15) as [number, Flow][], name)).toBe(total(minutes, name));
      }
      for (const [minute] of of(15)) expect(Number(minute) % 15).toBe(0);
    }
  });

  test("the time that it took to be paid", () => {
    const { payTimes } = countsOf(reservation({ state: "PAID", createdMs: 1_000, paidMs: 61_000 }));
    const counted = { bucket: bucketOf(60_000), reservations: 1 };
    expect(payTimes).toEqual([
      { eventId: "e", ...counted },
      { eventId: ALL_EVENTS, ...counted },
    ]);
  });
});

describe("times to pay", () => {
  test("every time is told within 2.5 %", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 * 24 * 3_600_000 }), (ms) => {
        expect(Math.abs(timeOf(bucketOf(ms)) - ms) / ms).toBeLessThan(0.025);
      }),
    );
  });

  test.each([-5, 0, 1])("%i ms, which clocks may make of next to nothing", (ms) => {
    expect(bucketOf(ms)).toBe(0);
  });

  test("buckets are small numbers, however long it took", () => {
    expect(bucketOf(Number.MAX_SAFE_INTEGER)).toBeLessThan(500);
  });
});

describe("what a change does to the counters", () => {
  test("the old contribution is taken back, also from another event's counters and another type's", () => {
    const before = reservation();
    const items = [{ ticketTypeId: "other", quantity: 1, unitPriceMinor: 9 }];
    const after = reservation({ eventId: "other", version: 2n, state: "PAID", paidMs: 1, items });
    expect(countChanges([{ before, after }])).toMatchObject({
      tickets: new Map([
        ["t", { ...NO_TICKETS, held: -3 }],
        ["other", { ...NO_TICKETS, paid: 1, revenueMinor: 9n }],
      ]),
      reservations: new Map([
        ["e", { ...NO_RESERVATIONS, held: -1 }],
        ["other", { ...NO_RESERVATIONS, paid: 1, everPaid: 1 }],
      ]),
    });
  });

  test("counters that stay as they are, are left alone", () => {
    const replaced = [{ before: reservation(), after: reservation({ version: 2n, state: "PAYING" }) }];
    expect(countChanges(replaced)).toEqual({
      tickets: new Map(),
      reservations: new Map(),
      timeline: [],
      payTimes: [],
    });
  });

  test("payments count while they are FAILED, under the reason they give last", () => {
    const payment = (id: string, init: Partial<Payment>): Payment => ({
      id,
      eventId: "e",
      version: 1n,
      state: "PROCESSING",
      failureReason: "",
      ...init,
    });
    const failed = (id: string, failureReason: string) => payment(id, { state: "FAILED", failureReason });
    expect(
      failureChanges([
        { before: undefined, after: payment("begun", {}) },
        { before: payment("declined", {}), after: failed("declined", "CARD_DECLINED") },
        { before: undefined, after: failed("new", "CARD_DECLINED") },
        { before: failed("renamed", "OTHER"), after: failed("renamed", "PAYMENT_FAILED") },
        { before: failed("came late", "OTHER"), after: payment("came late", { state: "REFUNDING" }) },
        { before: failed("same", "SAME"), after: failed("same", "SAME") },
      ]),
    ).toEqual([
      { eventId: "e", reason: "CARD_DECLINED", failures: 2 },
      { eventId: "e", reason: "OTHER", failures: -2 },
      { eventId: "e", reason: "PAYMENT_FAILED", failures: 1 },
    ]);
  });
});

describe("only newer versions count", () => {
  const versions = (...numbers: bigint[]) => numbers.map((version) => reservation({ version }));

  test.each([
    ["a rising order", versions(1n, 2n, 3n), 3n],
    ["a falling order", versions(3n, 2n, 1n), 3n],
    ["repetitions", versions(2n, 2n, 1n, 2n), 2n],
  ])("the newest of %s", (_, entities, version) => {
    expect(newest(entities)).toEqual([reservation({ version })]);
  });

  test.each([
    ["newer", 4n, 5n, true],
    ["equal", 5n, 5n, false],
    ["older", 6n, 5n, false],
  ])("%s than what is known", (_, known, arrived, replaces) => {
    const [before, after] = versions(known, arrived) as [Reservation, Reservation];
    expect(replacements([before], [after])).toEqual(replaces ? [{ before, after }] : []);
  });

  test("what is not known yet replaces nothing", () => {
    expect(replacements([], [reservation()])).toEqual([{ before: undefined, after: reservation() }]);
  });
});

/** A reservation's versions in any states, which is more than the reservation service ever makes. */
const history = fc
  .record({ id: fc.uuid(), states: fc.array(fc.constantFrom(...RESERVATION_STATES), { minLength: 1 }) })
  .chain(({ id, states }) =>
    fc.tuple(
      ...states.map((state, index) =>
        fc.record({
          id: fc.constant(id),
          eventId: fc.constantFrom("e1", "e2"),
          version: fc.constant(BigInt(index + 1)),
          state: fc.constant(state),
          createdMs: fc.constant(1_000_000),
          paidMs: fc.option(fc.integer({ min: 1_000_000, max: 9_000_000 })),
          closedMs: fc.option(fc.integer({ min: 1_000_000, max: 9_000_000 })),
          items: fc.array(
            fc.record({
              ticketTypeId: fc.constantFrom("a", "b", "c"),
              quantity: fc.integer({ min: 1, max: 9 }),
              unitPriceMinor: fc.integer({ min: 0, max: 100_000_000 }),
            }),
            { maxLength: 3 },
          ),
        }),
      ),
    ),
  );

const delivery = fc.array(history, { minLength: 1, maxLength: 6 }).chain((histories) => {
  const changes = histories.flat();
  const threeTimes = [...changes, ...changes, ...changes];
  return fc.record({
    latest: fc.constant(histories.flatMap((versions) => versions.slice(-1))),
    changes: fc.shuffledSubarray(threeTimes, { minLength: threeTimes.length }),
    batchSizes: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
  });
});

test("whatever repeats, in whatever order and batches, the counters are those of the newest versions", () => {
  fc.assert(
    fc.property(delivery, ({ latest, changes, batchSizes }) => {
      const known = new Map<string, Reservation>();
      const counters = new Map<string, bigint>();
      for (const batch of cut(changes, batchSizes)) {
        const replaced = replacements([...known.values()], newest(batch));
        for (const { after } of replaced) known.set(after.id, after);
        const { tickets, reservations, timeline, payTimes } = countChanges(replaced);
        const slots = timeline.map(
          ({ eventId, minutes, startMs, flow }) => [`${eventId} ${minutes} ${startMs}`, flow] as const,
        );
        for (const [id, counts] of [...tickets, ...reservations, ...slots]) {
          for (const [name, count] of Object.entries(counts)) add(counters, `${id} ${name}`, BigInt(count));
        }
        for (const { eventId, bucket, reservations: count } of payTimes) {
          add(counters, `${eventId} bucket ${bucket}`, BigInt(count));
        }
      }
      expect(nonZero(counters)).toEqual(nonZero(recount(latest)));
    }),
    { numRuns: 300 },
  );
});

/** Counts the plain way, from what the words mean. */
function recount(reservations: readonly Reservation[]): Map<string, bigint> {
  const counters = new Map<string, bigint>();
  for (const { eventId, state, createdMs, paidMs, closedMs, items } of reservations) {
    const column = state === "PAYING" ? "held" : state.toLowerCase();
    const wasPaid = paidMs !== null;
    add(counters, `${eventId} ${column}`, 1n);
    if (state === "PAID" || wasPaid) add(counters, `${eventId} everPaid`, 1n);
    for (const id of [eventId, ALL_EVENTS]) {
      if (paidMs !== null) add(counters, `${id} bucket ${bucketOf(paidMs - createdMs)}`, 1n);
    }
    const happened = (ms: number, name: string, count: bigint) => {
      for (const id of [eventId, ALL_EVENTS]) {
        for (const minutes of [1, 15]) {
          const startMs = Math.floor(ms / (minutes * MINUTE)) * minutes * MINUTE;
          add(counters, `${id} ${minutes} ${startMs} ${name}`, count);
        }
      }
    };
    happened(createdMs, "reservations", 1n);
    for (const { ticketTypeId, quantity, unitPriceMinor } of items) {
      const [tickets, cents] = [BigInt(quantity), BigInt(quantity) * BigInt(unitPriceMinor)];
      add(counters, `${ticketTypeId} ${column}`, tickets);
      if (state === "CANCELLED" && wasPaid) add(counters, `${ticketTypeId} refunded`, tickets);
      if (state === "PAID") add(counters, `${ticketTypeId} revenueMinor`, cents);
      happened(createdMs, "reserved", tickets);
      if (wasPaid) happened(paidMs, "paid", tickets);
      if (wasPaid) happened(paidMs, "revenueMinor", cents);
      if (closedMs === null) continue;
      if (state === "EXPIRED") happened(closedMs, "expired", tickets);
      if (state !== "CANCELLED") continue;
      happened(closedMs, "cancelled", tickets);
      if (wasPaid) happened(closedMs, "refunded", tickets);
      if (wasPaid) happened(closedMs, "refundsMinor", cents);
    }
  }
  return counters;
}

function add(counters: Map<string, bigint>, key: string, count: bigint): void {
  counters.set(key, (counters.get(key) ?? 0n) + count);
}

const nonZero = (counters: Map<string, bigint>) => new Map([...counters].filter(([, count]) => count !== 0n));

function* cut<T>(all: readonly T[], sizes: readonly number[]): Generator<T[]> {
  for (let start = 0, turn = 0; start < all.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield all.slice(start, start + size);
    start += size;
  }
}

describe("derived figures", () => {
  const figures = (init: Partial<TicketFigures>): TicketFigures => ({
    held: 0n,
    paid: 0n,
    expired: 0n,
    cancelled: 0n,
    refunded: 0n,
    revenueMinor: 0n,
    quantity: 0n,
    available: 0n,
    ...init,
  });

  test.each([
    ["nothing for sale", figures({ paid: 0n, quantity: 0n }), 0],
    ["a quarter", figures({ paid: 25n, held: 50n, quantity: 100n }), 0.25],
    ["sold out", figures({ paid: 7n, quantity: 7n }), 1],
  ])("sell-through of %s", (_, tickets, expected) => {
    expect(sellThroughOf(tickets)).toBe(expected);
  });

  test.each([
    ["nothing ended", { held: 5n }, 0],
    ["all paid", { paid: 2n, everPaid: 2n }, 1],
    [
      "one paid, one refunded, two closed unpaid",
      { paid: 1n, everPaid: 2n, expired: 1n, cancelled: 2n },
      0.5,
    ],
    ["none paid", { expired: 3n, cancelled: 1n }, 0],
  ])("conversion when %s", (_, counts, expected) => {
    expect(conversionOf({ held: 0n, paid: 0n, expired: 0n, cancelled: 0n, everPaid: 0n, ...counts })).toBe(
      expected,
    );
  });

  test("a total adds every figure up", () => {
    const all = { quantity: 1n, available: 2n, held: 3n, paid: 4n, expired: 5n, cancelled: 6n, refunded: 7n };
    const one: TicketFigures = { ...all, revenueMinor: 8n };
    expect(Object.values(totalOf([one, one]))).toEqual([2n, 4n, 6n, 8n, 10n, 12n, 14n, 16n]);
    expect(totalOf([])).toEqual(figures({}));
  });

  test.each([
    ["VIP", "vip"],
    ["  Vip\n", "vip"],
    ["early bird", "early bird"],
  ])("the category %j is %j", (category, key) => {
    expect(categoryKey(category)).toBe(key);
  });
});
