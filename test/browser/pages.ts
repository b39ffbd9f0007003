import { expect, test } from "vitest";
import { putOnSale } from "./events.ts";
import type { World } from "./world.ts";

/** What pages say where there is nothing to buy. */
export function pageTests(world: () => World): void {
  test("the list while it loads, when it fails, and when nothing is found", async (context) => {
    await putOnSale(world().clients, "Found Again", { Seat: 5 });
    const visitor = await world().arrive(context);
    const { page } = visitor;
    const { promise: isSeen, resolve: goOn } = Promise.withResolvers<void>();
    await page.route(/\/ListEvents/, async (route) => {
      await isSeen;
      await route.abort();
    });
    await page.goto("/?q=found+again");
    await page.getByRole("status").filter({ hasText: "Loading" }).waitFor();
    await visitor.expectAccessible();
    goOn();
    await visitor.sees("The box office could not be reached");
    await visitor.expectAccessible();
    await page.unroute(/\/ListEvents/);
    await page.getByRole("button", { name: "Try again" }).click();
    await visitor.sees("Found Again");
    await page.getByRole("searchbox").fill("nothing is called so");
    await visitor.sees("Nothing found for “nothing is called so”");
    await visitor.expectAccessible();
    await page.getByRole("button", { name: "Clear the search" }).click();
    await page.locator(".card").first().waitFor();
    expect(page.url()).not.toContain("q=");
  });

  test("an event that is paused, sold out or cancelled says so, on a phone and in the list", async (context) => {
    const { clients } = world();
    const paused = await putOnSale(clients, "At A Standstill: Paused", { Seat: 5 });
    const soldOut = await putOnSale(clients, "At A Standstill: Sold Out", { Seat: 5 });
    const cancelled = await putOnSale(clients, "At A Standstill: Cancelled", { Seat: 5 });
    await clients.reservation.pauseSales({ eventId: paused.eventId });
    const items = [{ ticketTypeId: soldOut.ticketTypes[0]?.ticketTypeId ?? "", quantity: 5 }];
    await clients.reservation.reserve({ eventId: soldOut.eventId, items });
    await clients.catalog.cancelEvent({ eventId: cancelled.eventId, reason: "storm" });

    const visitor = await world().arrive(context, { viewport: PHONE });
    const { page } = visitor;
    await page.goto("/?q=at+a+standstill");
    for (const told of ["Sale paused", "Sold out", "Cancelled"]) {
      await page.locator(".badge", { hasText: told }).waitFor();
    }
    await visitor.expectAccessible();
    const told = {
      [paused.eventId]: "It goes on shortly",
      [soldOut.eventId]: "Tickets that others do not pay come back",
      [cancelled.eventId]: "This event is cancelled",
    };
    for (const [eventId, words] of Object.entries(told)) {
      await page.goto(`/events/${eventId}`);
      await visitor.sees(words);
      await visitor.expectAccessible();
      expect(await page.getByRole("spinbutton").count()).toBe(0);
    }
  });

  test("language and colours are as the reader chose them, and stay so", async (context) => {
    const { eventId } = await putOnSale(world().clients, "In Two Languages", { Platz: 1200 });
    const visitor = await world().arrive(context);
    const { page } = visitor;
    await page.goto(`/events/${eventId}`);
    await visitor.sees("€15.00");
    await visitor.sees("1,200 available");
    await page.getByLabel("Language").selectOption({ label: "Deutsch" });
    await page.getByLabel("Farben").selectOption({ label: "Dunkel" });
    for (const isAgain of [false, true]) {
      if (isAgain) await page.reload();
      await visitor.sees(/15,00\s€/);
      await visitor.sees("1.200 verfügbar");
      expect(await page.evaluate("document.documentElement.lang")).toBe("de");
      expect(await page.evaluate("getComputedStyle(document.documentElement).colorScheme")).toBe("dark");
    }
    await visitor.expectAccessible();
  });

  test("an address that leads nowhere says so", async (context) => {
    const visitor = await world().arrive(context);
    for (const path of ["/nowhere", "/reservation", `/reservation#${NOBODYS}`, `/events/${NOBODYS}`]) {
      await visitor.page.goto(path);
      await visitor.page.locator(".empty").waitFor();
    }
    await visitor.expectAccessible();
    await visitor.page.getByRole("link", { name: "See what is on" }).click();
    await visitor.sees("What’s on");
  });
}

const PHONE = { width: 390, height: 844 };

const NOBODYS = "0190b3f0-0000-7000-8000-000000000000";
