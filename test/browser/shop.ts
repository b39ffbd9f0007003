import { PaymentOutcome, PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import pg from "pg";
import type { Request } from "playwright-core";
import { expect, test } from "vitest";
import type { BoxOffice } from "../support/box-office.ts";
import { putOnSale } from "./events.ts";
import type { World } from "./world.ts";

/** What buyers do and meet. */
export function shopTests(world: () => World): void {
  const reservationsOf = async (eventId: string) =>
    (await world().clients.reservation.listReservations({ eventId })).reservations;

  test("the whole purchase, reloaded in every step", async (context) => {
    const { clients } = world();
    const { eventId } = await putOnSale(clients, "The Whole Purchase", { Seat: 10, Box: 4 });
    const visitor = await world().arrive(context);
    const { page } = visitor;

    await page.goto("/");
    await page.getByRole("searchbox").fill("whole purchase");
    await page.getByRole("link", { name: "The Whole Purchase" }).waitFor();
    await visitor.expectAccessible();
    await page.getByRole("link", { name: "The Whole Purchase" }).click();

    await visitor.choose({ Seat: 2, Box: 1 });
    await visitor.sees("€45.00");
    await page.reload();
    await visitor.sees("€45.00");
    await visitor.expectAccessible();
    await page.getByRole("button", { name: "Reserve" }).click();

    await visitor.seesHold();
    const reservationId = visitor.reservationId();
    await page.reload();
    await expect(page.getByRole("timer").textContent()).resolves.toMatch(/^1[45]:\d\d$/);
    await visitor.expectAccessible();
    await visitor.pay();

    await visitor.sees("It’s yours");
    await page.reload();
    await visitor.sees("It’s yours");
    await visitor.sees(reservationId);
    await visitor.expectAccessible();
    await page.getByRole("link", { name: "Your tickets" }).click();
    await visitor.sees("2 × Seat, 1 × Box");
    await visitor.sees("Paid");
    await visitor.expectAccessible();

    expect(await reservationsOf(eventId)).toMatchObject([{ reservationId, total: { minorUnits: 4500n } }]);
    expect(visitor.addresses.filter((address) => address.includes(reservationId))).toEqual([]);
  });

  test("each failure of a card is explained, and another card pays", async (context) => {
    const { clients } = world();
    const { eventId } = await putOnSale(clients, "Three Bad Cards", { Seat: 5 });
    const visitor = await world().arrive(context);
    await visitor.reserve(eventId, { Seat: 1 });
    for (const [card, told] of BAD_CARDS) {
      await visitor.pay(card);
      await visitor.sees(told);
      await visitor.sees(/Nothing was charged/);
    }
    await visitor.expectAccessible();
    await visitor.page.reload();
    await visitor.pay();
    await visitor.sees("It’s yours");
    const { payments } = await clients.payment.listPayments({ eventId });
    expect(payments.filter(({ state }) => state === PaymentState.SUCCEEDED)).toHaveLength(1);
  });

  test("a hold that ends while it is looked at says so and leads back", async (context) => {
    const { boxOffice, clients } = world();
    const { eventId } = await putOnSale(clients, "A Hold That Ends", { Seat: 5 });
    const visitor = await world().arrive(context);
    const reservationId = await visitor.reserve(eventId, { Seat: 5 });
    await endHoldIn(boxOffice, reservationId, 3);
    await visitor.page.reload();
    await visitor.sees("Less than a minute left.");
    await visitor.sees("The time to pay is over");
    await visitor.expectAccessible();
    await visitor.page.getByRole("link", { name: "Choose again" }).click();
    await visitor.sees("5 available");
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

  test("the answer to a payment is lost: the page finds out by itself, and nothing is paid twice", async (context) => {
    const { clients } = world();
    const { eventId } = await putOnSale(clients, "Nobody Knows", { Seat: 2 });
    const visitor = await world().arrive(context);
    await visitor.reserve(eventId, { Seat: 1 });
    await visitor.page.route("**/PayReservation", async (route) => {
      await route.fetch();
      await route.abort();
    });
    await visitor.pay();
    await visitor.sees("It’s yours");
    expect((await clients.payment.listPayments({ eventId })).payments).toHaveLength(1);
  });

  test("a payment whose outcome nobody knows is shown calmly, until it is settled", async (context) => {
    const { clients } = world();
    const { eventId } = await putOnSale(clients, "Silence At The Bank", { Seat: 2 });
    const visitor = await world().arrive(context);
    const reservationId = await visitor.reserve(eventId, { Seat: 1 });
    const { payment } = await clients.payment.payReservation({ reservationId, token: "hang-charged" });
    expect(payment?.state).toBe(PaymentState.UNKNOWN);
    await visitor.page.reload();
    await visitor.sees("We are finding out about your payment");
    await visitor.expectAccessible();
    const { paymentId = "" } = payment ?? {};
    await clients.payment.resolvePayment({
      paymentId,
      outcome: PaymentOutcome.CHARGED,
      reason: "their books",
    });
    await visitor.sees("It’s yours");
  });

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
  });

  test("a hidden tab holds no stream, and goes on when it is seen again", async (context) => {
    const { eventId } = await putOnSale(world().clients, "Out Of Sight", { Seat: 5 });
    const { page } = await world().arrive(context);
    const isStream = (request: Request) => request.url().includes("/WatchAvailability");
    await page.goto(`/events/${eventId}`);
    await page.getByText("Live", { exact: true }).waitFor();
    const ended = page.waitForEvent("requestfailed", isStream);
    await page.evaluate(setSight, "hidden");
    await ended;
    await page.evaluate(setSight, "visible");
    await page.getByText("Live", { exact: true }).waitFor();
  });

  test("an address that leads nowhere says so", async (context) => {
    const visitor = await world().arrive(context);
    for (const path of ["/nowhere", "/reservation", `/reservation#${NOBODYS}`, `/events/${NOBODYS}`]) {
      await visitor.page.goto(path);
      await visitor.page.locator(".empty").waitFor();
    }
    await visitor.expectAccessible();
  });
}

const BAD_CARDS = [
  ["Card that is declined", "Your card was declined"],
  ["Card with a fault", "The payment did not work"],
  ["Card in US dollars", "This card’s currency is not taken"],
] as const;

const NOBODYS = "0190b3f0-0000-7000-8000-000000000000";

/** Runs in the page. */
function setSight(state: string): void {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}

const ignore = () => new Promise<never>(() => {});

/** Nobody passes until so many have come. */
function createBarrier(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let missing = count;
  return () => {
    missing -= 1;
    if (missing === 0) resolve();
    return promise;
  };
}

/** Moves the end of a hold, so that nobody has to wait for 15 minutes. */
async function endHoldIn({ database }: BoxOffice, reservationId: string, seconds: number): Promise<void> {
  const client = new pg.Client({ connectionString: database.urlFor("reservation") });
  await client.connect();
  try {
    await client.query(
      `update reservation.reservations set expires_at = clock_timestamp() + $2 * interval '1 second'
        where reservation_id = $1`,
      [reservationId, seconds],
    );
  } finally {
    await client.end();
  }
}
