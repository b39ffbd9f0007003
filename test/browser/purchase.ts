import { PaymentOutcome, PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { expect, test } from "vitest";
import { putOnSale } from "./events.ts";
import type { World } from "./world.ts";

/** A purchase from the first page to the tickets, and what can go wrong with its payment. */
export function purchaseTests(world: () => World): void {
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

  test("the whole purchase with nothing but a keyboard", async (context) => {
    const { eventId } = await putOnSale(world().clients, "Without A Mouse", { Seat: 10 });
    const visitor = await world().arrive(context);
    const { page } = visitor;
    await page.goto("/");
    await visitor.tabTo(page.getByRole("searchbox"));
    await page.keyboard.type("without a mouse");
    await visitor.tabTo(page.getByRole("link", { name: "Without A Mouse" }));
    await page.keyboard.press("Enter");

    await visitor.tabTo(page.getByRole("spinbutton", { name: "Quantity: Seat" }));
    for (const key of ["ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown"]) await page.keyboard.press(key);
    await visitor.sees("€30.00");
    await visitor.tabTo(page.getByRole("button", { name: "Reserve" }));
    await page.keyboard.press("Enter");

    await visitor.seesHold();
    const giveBack = page.getByRole("button", { name: "Give the tickets back" });
    await visitor.tabTo(giveBack);
    await page.keyboard.press("Enter");
    await page.getByRole("alertdialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
    expect(await visitor.isAt(giveBack)).toBe(true);

    const pay = page.getByRole("button", { name: "Pay €30.00" });
    await visitor.tabTo(page.getByRole("radio", { name: "Card that works" }));
    await page.keyboard.press("ArrowDown");
    await visitor.tabTo(pay);
    await page.keyboard.press("Enter");
    await visitor.sees("Your card was declined");
    await visitor.tabTo(page.getByRole("radio", { name: "Card that is declined" }));
    await page.keyboard.press("ArrowUp");
    await visitor.tabTo(pay);
    await page.keyboard.press("Enter");
    await visitor.sees("It’s yours");
    expect(await reservationsOf(eventId)).toMatchObject([{ total: { minorUnits: 3000n } }]);
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
}

const BAD_CARDS = [
  ["Card that is declined", "Your card was declined"],
  ["Card with a fault", "The payment did not work"],
  ["Card in US dollars", "This card’s currency is not taken"],
] as const;
