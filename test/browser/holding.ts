import { expect, test } from "vitest";
import { putOnSale } from "./events.ts";
import { endHoldIn } from "./holds.ts";
import type { World } from "./world.ts";

/** What becomes of tickets that are held. */
export function holdingTests(world: () => World): void {
  const reservationsOf = async (eventId: string) =>
    (await world().clients.reservation.listReservations({ eventId })).reservations;

  test("a hold that ends while it is looked at says so and leads back", async (context) => {
    const { boxOffice, clients } = world();
    const { eventId } = await putOnSale(clients, "A Hold That Ends", { Seat: 5 });
    const visitor = await world().arrive(context);
    const reservationId = await visitor.reserve(eventId, { Seat: 5 });
    await endHoldIn(boxOffice, reservationId, 55);
    await visitor.comesBack();
    await visitor.sees("Less than a minute left.");
    await endHoldIn(boxOffice, reservationId, 2);
    await visitor.comesBack();
    await visitor.sees("The time to pay is over");
    await visitor.expectAccessible();
    await visitor.page.getByRole("link", { name: "Choose again" }).click();
    await visitor.sees("5 available");
  });

  test("double clicks, the back button and a lost answer buy once", async (context) => {
    const { clients } = world();
    const { eventId } = await putOnSale(clients, "Only Once", { Seat: 9 });
    const visitor = await world().arrive(context);
    const { page } = visitor;
    await page.goto(`/events/${eventId}`);
    await visitor.choose({ Seat: 1 });
    // The answers to every try are lost, though the box office has done what it was asked.
    await page.route("**/Reserve", async (route) => {
      await route.fetch();
      await route.abort();
    });
    await page.getByRole("button", { name: "Reserve" }).click();
    await visitor.sees("The box office could not be reached");
    await page.unroute("**/Reserve");
    await page.reload();
    await visitor.sees(/Your last order may have gone through/);
    await page.getByRole("button", { name: "Reserve" }).dblclick();
    await visitor.seesHold();
    await page.goBack();
    await visitor.sees(/You hold tickets for this event/);
    await visitor.expectAccessible();
    await page.getByRole("link", { name: "Go on to payment" }).click();
    await page.getByRole("button", { name: /^Pay / }).dblclick();
    await visitor.sees("It’s yours");
    await page.goBack();
    await page.goForward();
    await visitor.sees("It’s yours");
    expect(await reservationsOf(eventId)).toHaveLength(1);
    expect((await clients.payment.listPayments({ eventId })).payments).toHaveLength(1);
  });

  test("a hold is given back after a question, and its link shows it to whoever has it", async (context) => {
    const { clients } = world();
    const { eventId } = await putOnSale(clients, "Changed My Mind", { Seat: 2 });
    const visitor = await world().arrive(context);
    const reservationId = await visitor.reserve(eventId, { Seat: 2 });
    const friend = await world().arrive(context, { locale: "de-DE", viewport: { width: 390, height: 844 } });
    await friend.page.goto(`/reservation#${reservationId}`);
    await friend.sees("Ihre Karten sind zurückgelegt");
    await friend.expectAccessible();
    await visitor.page.getByRole("button", { name: "Give the tickets back" }).click();
    await visitor.page.getByRole("alertdialog").waitFor();
    await visitor.expectAccessible();
    await visitor.page.getByRole("button", { name: "Give back" }).click();
    await visitor.sees("This reservation is cancelled");
    await friend.page.reload();
    await friend.sees("Diese Reservierung ist storniert");
  });
}
