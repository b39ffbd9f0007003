import type { Request } from "playwright-core";
import { expect, test } from "vitest";
import { putOnSale } from "./events.ts";
import { setSight } from "./visitor.ts";
import type { World } from "./world.ts";

/** How pages are kept up to date, and what they cost who looks at many. */
export function watchingTests(world: () => World): void {
  test("offline, what is known stays, and it goes on by itself", async (context) => {
    const { clients } = world();
    const { eventId } = await putOnSale(clients, "In The Tunnel", { Seat: 3 });
    const visitor = await world().arrive(context);
    await visitor.page.goto(`/events/${eventId}`);
    await visitor.sees("3 available");
    await visitor.page.context().setOffline(true);
    await visitor.sees(/You are offline/);
    await visitor.sees("3 available");
    await visitor.expectAccessible();
    await visitor.page.context().setOffline(false);
    await visitor.page.getByText(/You are offline/).waitFor({ state: "hidden" });
  });

  test("where no stream gets through, what is left is asked for", async (context) => {
    const { clients } = world();
    const { eventId, ticketTypes } = await putOnSale(clients, "An Old Proxy", { Seat: 7 });
    const visitor = await world().arrive(context);
    await visitor.page.route("**/WatchAvailability", (route) => route.abort());
    await visitor.page.goto(`/events/${eventId}`);
    await visitor.sees("7 available");
    await visitor.sees("Refreshed every few seconds");
    const items = [{ ticketTypeId: ticketTypes[0]?.ticketTypeId ?? "", quantity: 3 }];
    await clients.reservation.reserve({ eventId, items });
    await visitor.sees("4 available");
  });

  test("ten tabs side by side share three streams, and each sees what others buy", async (context) => {
    const { clients } = world();
    const { eventId, ticketTypes } = await putOnSale(clients, "Ten Tabs", { Seat: 60 });
    const visitor = await world().arrive(context);
    await visitor.page.goto(`/events/${eventId}`);
    const others = await Promise.all(Array.from({ length: 9 }, () => visitor.page.context().newPage()));
    for (const page of others) await page.goto(`/events/${eventId}`);
    const tabs = [visitor.page, ...others];
    const items = [{ ticketTypeId: ticketTypes[0]?.ticketTypeId ?? "", quantity: 7 }];
    await clients.reservation.reserve({ eventId, items });
    await Promise.all(tabs.map((page) => page.getByText("53 available").waitFor()));
    const live = await Promise.all(tabs.map((page) => page.getByText("Live", { exact: true }).count()));
    expect(live.reduce((sum, count) => sum + count, 0)).toBe(3);
    // One that has no stream buys as well as the others.
    const last = tabs[live.indexOf(0)] ?? visitor.page;
    await last.getByRole("spinbutton", { name: "Quantity: Seat" }).fill("2");
    await last.getByRole("button", { name: "Reserve" }).click();
    await last.getByRole("heading", { name: "Your tickets are held" }).waitFor();
  });

  test("a page holds one stream, a hidden tab none, and it goes on when it is seen again", async (context) => {
    const { clients } = world();
    const { eventId, ticketTypes } = await putOnSale(clients, "Out Of Sight", { Seat: 5 });
    const { page, addresses } = await world().arrive(context);
    const isStream = (request: Request) => request.url().includes("/WatchAvailability");
    await page.goto(`/events/${eventId}`);
    await page.getByText("Live", { exact: true }).waitFor();
    const ended = page.waitForEvent("requestfailed", isStream);
    await page.evaluate(setSight, "hidden");
    await ended;
    const items = [{ ticketTypeId: ticketTypes[0]?.ticketTypeId ?? "", quantity: 3 }];
    await clients.reservation.reserve({ eventId, items });
    expect(await page.evaluate("navigator.locks.query().then(({ held }) => held.length)")).toBe(0);
    expect(addresses.filter((address) => address.includes("/WatchAvailability"))).toHaveLength(1);
    await page.evaluate(setSight, "visible");
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByText("2 available").waitFor();
  });
}
