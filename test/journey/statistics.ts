import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { money, type Stage } from "./events.ts";
import { eventually, type Journey } from "./steps.ts";
import type { Counts, EventStats, Failures, Overview } from "./types.ts";

/** Until the overview has been the same for so long, something before this journey may still be on its way. */
const CALM_MS = 700;

/** What the overview says before the journey. Nobody else may buy meanwhile. */
export async function readOverview({ operator }: Journey): Promise<Overview> {
  let before = await overviewOf(operator);
  await eventually(async () => {
    const last = before;
    await delay(CALM_MS);
    before = await overviewOf(operator);
    assert.deepEqual(before, last, "the overview still changes");
  });
  return before;
}

/** What was bought and given back, to the ticket: per event, per category across events, and overall. */
export async function checkStatistics(journey: Journey, stage: Stage, before: Overview): Promise<void> {
  const { operator, run, step } = journey;
  const { concert, reading } = stage;
  await step("statistics of an event", () =>
    eventually(async () => {
      const { eventStats } = await operator.ok<{ eventStats: EventStats }>("stats/GetEventStats", {
        eventId: concert.eventId,
      });
      assert.equal(eventStats.name, concert.name);
      assert.deepEqual(eventStats.ticketTypes.map(countsOf), [
        counts({ held: 2, paid: 4, available: 94, quantity: 100, revenue: 4 * 2500 }),
        counts({ paid: 2, available: 8, quantity: 10, revenue: 2 * 10_000 }),
        counts({ cancelled: 2, available: 2, quantity: 2 }),
        counts({ available: 5, quantity: 5 }),
      ]);
      const total = counts({
        held: 2,
        paid: 6,
        cancelled: 2,
        available: 109,
        quantity: 117,
        revenue: 30_000,
      });
      assert.deepEqual(countsOf(eventStats), total);
      const { conversion, ...reservations } = eventStats.reservations;
      assert.deepEqual(reservations, { held: "1", paid: "2", expired: "0", cancelled: "1", everPaid: "2" });
      assert.ok(Math.abs(conversion - 2 / 3) < 1e-9, `conversion ${conversion}`);
      assert.deepEqual(failureCounts(eventStats.paymentFailures), {
        CARD_DECLINED: 1,
        CURRENCY_NOT_SUPPORTED: 1,
        PAYMENT_FAILED: 1,
      });
    }),
  );
  await step("statistics of a cancelled event", () =>
    eventually(async () => {
      const { eventStats } = await operator.ok<{ eventStats: EventStats }>("stats/GetEventStats", {
        eventId: reading.eventId,
      });
      const expected = counts({ paid: 1, cancelled: 2, available: 4, quantity: 5, revenue: 5000 });
      assert.deepEqual(countsOf(eventStats), expected);
    }),
  );
  await step("statistics of a category across events", () =>
    eventually(async () => {
      const { categoryStats } = await operator.ok<{ categoryStats: Counts & { events: string } }>(
        "stats/GetCategoryStats",
        { category: `vip-${run}` },
      );
      assert.equal(categoryStats.events, "2");
      const expected = counts({ paid: 3, cancelled: 2, available: 12, quantity: 15, revenue: 25_000 });
      assert.deepEqual(countsOf(categoryStats), expected);
    }),
  );
  await step("the overview rose by exactly what was sold", () =>
    eventually(async () => {
      const after = await overviewOf(operator);
      const expected = { held: 2, paid: 7, cancelled: 4, available: 113, quantity: 122, revenue: 35_000 };
      assert.deepEqual(rise(countsOf(before), countsOf(after)), counts(expected));
      assert.equal(Number(after.events) - Number(before.events), 2, "events");
      const failures = (overview: Overview) =>
        overview.paymentFailures.reduce((sum, { count }) => sum + Number(count), 0);
      assert.equal(failures(after) - failures(before), 3, "payment failures");
      assert.equal(
        Number(after.reservations.everPaid) - Number(before.reservations.everPaid),
        3,
        "ever paid",
      );
    }),
  );
}

async function overviewOf(operator: Journey["operator"]): Promise<Overview> {
  return (await operator.ok<{ overview: Overview }>("stats/GetOverview")).overview;
}

type Expected = Partial<Record<"held" | "paid" | "cancelled" | "available" | "quantity" | "revenue", number>>;

function counts({
  held = 0,
  paid = 0,
  cancelled = 0,
  available = 0,
  quantity = 0,
  revenue = 0,
}: Expected): Counts {
  return {
    reserved: String(held + paid),
    held: String(held),
    paid: String(paid),
    expired: "0",
    cancelled: String(cancelled),
    refunded: "0",
    available: String(available),
    quantity: String(quantity),
    revenue: money(revenue),
  };
}

function countsOf(stats: Counts): Counts {
  const { reserved, held, paid, expired, cancelled, refunded, available, quantity, revenue } = stats;
  return { reserved, held, paid, expired, cancelled, refunded, available, quantity, revenue };
}

function rise(before: Counts, after: Counts): Counts {
  const by = (name: Exclude<keyof Counts, "revenue">) => String(BigInt(after[name]) - BigInt(before[name]));
  return {
    reserved: by("reserved"),
    held: by("held"),
    paid: by("paid"),
    expired: by("expired"),
    cancelled: by("cancelled"),
    refunded: by("refunded"),
    available: by("available"),
    quantity: by("quantity"),
    revenue: money(Number(after.revenue.minorUnits) - Number(before.revenue.minorUnits)),
  };
}

function failureCounts(failures: Failures): Record<string, number> {
  return Object.fromEntries(failures.map(({ reason, count }) => [reason, Number(count)]));
}
