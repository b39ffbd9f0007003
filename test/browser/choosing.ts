import { expect, test } from "vitest";
import { createBarrier } from "./barrier.ts";
import { putOnSale } from "./events.ts";
import type { World } from "./world.ts";

/** What buyers meet while they choose, with others who buy at the same time. */
export function choosingTests(world: () => World): void {
  const reservationsOf = async (eventId: string) =>
    (await world().clients.reservation.listReservations({ eventId })).reservations;

  test("a sale that is not open is counted down to, by the box office's clock, and opens by itself", async (context) => {
    const { clients } = world();
    const startsIn = (seconds: number) => ({ seconds: BigInt(Math.floor(Date.now() / 1000) + seconds) });
    const { eventId, ticketTypes } = await putOnSale(
      clients,
      "Ten O’Clock Sharp",
      { Seat: 8 },
      { salesStart: startsIn(7200) },
    );
    const visitor = await world().arrive(context);
    await visitor.page.addInitScript(setClockAhead, 5 * HOUR_MS);
    await visitor.page.goto(`/events/${eventId}`);
    await visitor.sees("The sale opens in");
    expect(await visitor.page.getByRole("timer").textContent()).toMatch(/^0[12]:\d\d:\d\d$/);
    expect(await visitor.page.getByRole("button", { name: "Reserve" }).isDisabled()).toBe(true);
    await visitor.expectAccessible();
    await clients.catalog.updateTicketType({
      eventId,
      ticketTypeId: ticketTypes[0]?.ticketTypeId ?? "",
      ticketType: { salesStart: startsIn(3) },
      updateMask: { paths: ["sales_start"] },
    });
    await visitor.choose({ Seat: 2 });
    await visitor.page.getByRole("button", { name: "Reserve" }).click();
    await visitor.seesHold();
    expect(await visitor.page.getByRole("timer").textContent()).toMatch(/^1[45]:\d\d$/);
  });

  test("few are left, and one order has a limit: both are told", async (context) => {
    const { clients } = world();
    const { eventId, ticketTypes } = await putOnSale(
      clients,
      "A Little Room",
      { Seat: 40, Bench: 40 },
      { maxPerReservation: 36 },
    );
    const items = [{ ticketTypeId: ticketTypes[0]?.ticketTypeId ?? "", quantity: 36 }];
    await clients.reservation.reserve({ eventId, items });
    const visitor = await world().arrive(context);
    await visitor.page.goto(`/events/${eventId}`);
    await visitor.sees("Only 4 left");
    await visitor.sees("At most 36 in one order");
    await visitor.choose({ Bench: 99 });
    await visitor.sees("36 is the most that one order may have");
    await visitor.sees("€540.00");
    expect(await visitor.page.getByRole("button", { name: "One more: Bench" }).isDisabled()).toBe(true);
    await visitor.expectAccessible();
  });

  test("sold out while choosing: the choice is reduced, and says so", async (context) => {
    const { clients } = world();
    const { eventId, ticketTypes } = await putOnSale(clients, "Going Fast", { Seat: 6 });
    const [seat] = ticketTypes;
    const buy = (quantity: number) =>
      clients.reservation.reserve({
        eventId,
        items: [{ ticketTypeId: seat?.ticketTypeId ?? "", quantity }],
      });
    const visitor = await world().arrive(context);
    await visitor.page.goto(`/events/${eventId}`);
    await visitor.choose({ Seat: 4 });
    await buy(3);
    await visitor.sees("Only 3 are left now: your choice was reduced");
    await visitor.sees("€45.00");
    await buy(3);
    await visitor.sees("Sold out");
    await visitor.sees("0 tickets");
    await visitor.expectAccessible();
    expect(await visitor.page.getByRole("button", { name: "Reserve" }).isDisabled()).toBe(true);
  });

  test("two browsers race for the last ticket: one has it, the other is told", async (context) => {
    const { clients } = world();
    const { eventId } = await putOnSale(clients, "The Last One", { Seat: 1 });
    const visitors = [await world().arrive(context), await world().arrive(context)];
    // Nobody's request goes on before both have asked: whoever heard "sold out" first could not ask at all.
    const bothAsked = createBarrier(visitors.length);
    for (const visitor of visitors) {
      await visitor.page.goto(`/events/${eventId}`);
      await visitor.choose({ Seat: 1 });
      await visitor.page.route("**/Reserve", async (route) => {
        await bothAsked();
        await route.continue();
      });
    }
    await Promise.all(visitors.map(({ page }) => page.getByRole("button", { name: "Reserve" }).click()));
    const ends = await Promise.all(
      visitors.map(({ page }) =>
        Promise.race([
          page
            .getByRole("heading", { name: "Your tickets are held" })
            .waitFor()
            .then(() => "held", ignore),
          page
            .getByText("Sold out: Seat")
            .waitFor()
            .then(() => "sold out", ignore),
        ]),
      ),
    );
    expect(ends.toSorted()).toEqual(["held", "sold out"]);
    expect(await reservationsOf(eventId)).toHaveLength(1);
  });
}

const HOUR_MS = 3_600_000;

/** Runs in the page, before anything else: its machine's clock is wrong. */
function setClockAhead(ms: number): void {
  const { now } = Date;
  globalThis.Date = class extends Date {
    constructor(...parts: [] | [number | string]) {
      super(...((parts.length === 0 ? [now() + ms] : parts) as [number]));
    }
    static override now = () => now() + ms;
  } as DateConstructor;
}

const ignore = () => new Promise<never>(() => {});
