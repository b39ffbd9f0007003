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
import {
  contributionOf,
  countChanges,
  failureChanges,
  type ReservationCounts,
  type TicketCounts,
} from "../domain/counts.ts";
import { conversionOf, sellThroughOf, type TicketFigures, totalOf } from "../domain/figures.ts";

const NO_TICKETS: TicketCounts = {
  held: 0n,
  paid: 0n,
  expired: 0n,
  cancelled: 0n,
  refunded: 0n,
  revenueMinor: 0n,
};
const NO_RESERVATIONS: ReservationCounts = { held: 0n, paid: 0n, expired: 0n, cancelled: 0n, everPaid: 0n };

const reservation = (init: Partial<Reservation> = {}): Reservation => ({
  id: "r",
  eventId: "e",
  version: 1n,
  state: "HELD",
  wasPaid: false,
  items: [{ ticketTypeId: "t", quantity: 3, unitPriceMinor: 20_00n }],
  ...init,
});

describe("what a reservation contributes", () => {
  test.each<[ReservationState, boolean, Partial<TicketCounts>, Partial<ReservationCounts>]>([
    ["HELD", false, { held: 3n }, { held: 1n }],
    ["PAYING", false, { held: 3n }, { held: 1n }],
    ["PAID", true, { paid: 3n, revenueMinor: 60_00n }, { paid: 1n, everPaid: 1n }],
    ["EXPIRED", false, { expired: 3n }, { expired: 1n }],
    ["CANCELLED", false, { cancelled: 3n }, { cancelled: 1n }],
    ["CANCELLED", true, { cancelled: 3n, refunded: 3n }, { cancelled: 1n, everPaid: 1n }],
  ])("%s, paid before: %s", (state, wasPaid, tickets, reservations) => {
    expect(contributionOf(reservation({ state, wasPaid }))).toEqual({
      tickets: new Map([["t", { ...NO_TICKETS, ...tickets }]]),
      reservations: { ...NO_RESERVATIONS, ...reservations },
    });
  });

  test("several types, one of them twice", () => {
    const items = [
      { ticketTypeId: "a", quantity: 1, unitPriceMinor: 5n },
      { ticketTypeId: "b", quantity: 2, unitPriceMinor: 7n },
      { ticketTypeId: "a", quantity: 4, unitPriceMinor: 0n },
    ];
    const { tickets, reservations } = contributionOf(reservation({ state: "PAID", wasPaid: true, items }));
    expect(tickets).toEqual(
      new Map([
        ["a", { ...NO_TICKETS, paid: 5n, revenueMinor: 5n }],
        ["b", { ...NO_TICKETS, paid: 2n, revenueMinor: 14n }],
      ]),
    );
    expect(reservations.paid).toBe(1n);
  });
});

describe("what a change does to the counters", () => {
  test("the old contribution is taken back, also from another event's counters and another type's", () => {
    const before = reservation();
    const items = [{ ticketTypeId: "other", quantity: 1, unitPriceMinor: 9n }];
    const after = reservation({ eventId: "other", version: 2n, state: "PAID", wasPaid: true, items });
    expect(countChanges([{ before, after }])).toEqual({
      tickets: new Map([
        ["t", { ...NO_TICKETS, held: -3n }],
        ["other", { ...NO_TICKETS, paid: 1n, revenueMinor: 9n }],
      ]),
      reservations: new Map([
        ["e", { ...NO_RESERVATIONS, held: -1n }],
        ["other", { ...NO_RESERVATIONS, paid: 1n, everPaid: 1n }],
      ]),
    });
  });

  test("counters that stay as they are, are left alone", () => {
    const replaced = [{ before: reservation(), after: reservation({ version: 2n, state: "PAYING" }) }];
    expect(countChanges(replaced)).toEqual({ tickets: new Map(), reservations: new Map() });
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
      { eventId: "e", reason: "CARD_DECLINED", failures: 2n },
      { eventId: "e", reason: "OTHER", failures: -2n },
      { eventId: "e", reason: "PAYMENT_FAILED", failures: 1n },
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
          wasPaid: fc.boolean(),
          items: fc.array(
            fc.record({
              ticketTypeId: fc.constantFrom("a", "b", "c"),
              quantity: fc.integer({ min: 1, max: 9 }),
              unitPriceMinor: fc.bigInt({ min: 0n, max: 100_000_000n }),
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
        const { tickets, reservations } = countChanges(replaced);
        for (const [id, counts] of [...tickets, ...reservations]) {
          for (const [name, count] of Object.entries(counts)) add(counters, `${id} ${name}`, count);
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
  for (const { eventId, state, wasPaid, items } of reservations) {
    const column = state === "PAYING" ? "held" : state.toLowerCase();
    add(counters, `${eventId} ${column}`, 1n);
    if (state === "PAID" || wasPaid) add(counters, `${eventId} everPaid`, 1n);
    for (const { ticketTypeId, quantity, unitPriceMinor } of items) {
      add(counters, `${ticketTypeId} ${column}`, BigInt(quantity));
      if (state === "CANCELLED" && wasPaid) add(counters, `${ticketTypeId} refunded`, BigInt(quantity));
      if (state === "PAID") add(counters, `${ticketTypeId} revenueMinor`, BigInt(quantity) * unitPriceMinor);
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
    ...NO_TICKETS,
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
    expect(conversionOf({ ...NO_RESERVATIONS, ...counts })).toBe(expected);
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
