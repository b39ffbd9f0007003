import { readFileSync } from "node:fs";
import { PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationState } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { expect, type TestContext, test } from "vitest";
import { putOnSale } from "./events.ts";
import type { World } from "./world.ts";

/** What operators see and do. */
export function operationsTests(world: () => World): void {
  const operate = (context: TestContext, path = "/operations") => world().operate(context, path);

  /** Buys a ticket as anybody does. @returns the reservation's id */
  const buy = async (eventId: string, ticketTypeId: string, quantity: number, token = "ok") => {
    const { reservation, payment } = world().clients;
    const items = [{ ticketTypeId, quantity }];
    const reserved = await reservation.reserve({
      eventId,
      items,
      customer: { name: "Ada", email: "ada@example.org" },
    });
    const reservationId = reserved.reservation?.reservationId ?? "";
    await payment.payReservation({ reservationId, token }).catch(() => undefined);
    return reservationId;
  };

  test("nobody without a token gets in, and a token is gone when it is refused", async (context) => {
    const stranger = await world().arrive(context);
    await stranger.page.goto("/operations/payments");
    await stranger.sees("Operator token");
    await stranger.expectAccessible();
    await stranger.page.getByLabel("Operator token").fill("no token");
    await stranger.page.getByRole("button", { name: "Sign in" }).click();
    await stranger.sees("This is no token");
    await stranger.page.getByLabel("Operator token").fill(FORGED);
    await stranger.page.getByRole("button", { name: "Sign in" }).click();
    await stranger.sees("Please sign in");
    await stranger.page.evaluate((token) => sessionStorage.setItem("boxoffice.operator", token), FORGED);
    await stranger.page.reload();
    await stranger.sees("Your token is not valid any more");
    await stranger.page.getByLabel("Operator token").fill(world().boxOffice.operatorToken);
    await stranger.page.getByRole("button", { name: "Sign in" }).click();
    await stranger.page.getByRole("heading", { name: "Payments" }).waitFor();
    await stranger.page.getByRole("button", { name: "Sign out" }).click();
    await stranger.sees("Operator token");
    expect(await stranger.page.evaluate("sessionStorage.length")).toBe(0);
  });

  test("a sale is seen while it goes on: held, paid, failed, sold over time", async (context) => {
    const { eventId, ticketTypes } = await putOnSale(world().clients, "Watched Closely", { Seat: 40 });
    const operator = await operate(context, `/operations/events/${eventId}`);
    await operator.seesFigure("Reserved", "0");
    const buyer = await world().arrive(context);
    await buyer.reserve(eventId, { Seat: 3 });
    await operator.seesFigure("Held", "3");
    await operator.sees("3 in the last hour");
    await buyer.pay("Card that is declined");
    await operator.sees("Card declined");
    await buyer.pay();
    await operator.seesFigure("Paid", "3");
    await operator.seesFigure("Revenue", "€45.00");
    await buy(eventId, ticketTypes[0]?.ticketTypeId ?? "", 2);
    await operator.seesFigure("Paid", "5");
    await operator.seesFigure("Sold", "12.5%");
    await operator.page.getByRole("img", { name: /: 5 tickets reserved, 5 paid, revenue €75.00/ }).waitFor();
    await operator.expectAccessible();
    await operator.page.goto("/operations");
    await operator.page
      .getByRole("row", { name: /Watched Closely/ })
      .getByText("€75.00")
      .waitFor();
    await operator.expectAccessible();
    await operator.page.getByRole("link", { name: "Categories" }).click();
    await operator.page.getByRole("row", { name: /^seat/ }).waitFor();
    await operator.expectAccessible();
  });

  test("a sale is paused and resumed, and its quantity changed: buyers see it at once", async (context) => {
    const { eventId } = await putOnSale(world().clients, "Stop And Go", { Seat: 30 });
    const operator = await operate(context, `/operations/events/${eventId}`);
    const buyer = await world().arrive(context);
    await buyer.page.goto(`/events/${eventId}`);
    await buyer.sees("30 available");

    await operator.page.getByRole("button", { name: "Pause the sale" }).click();
    await operator.page.getByLabel("Reason").fill("a queue at the door");
    await operator.expectAccessible();
    await operator.confirm("Pause the sale");
    await buyer.sees("The sale is paused");
    await operator.page.getByRole("button", { name: "Resume the sale" }).click();
    await operator.confirm("Resume the sale");
    await buyer.sees("30 available");

    await operator.page.getByRole("button", { name: "Change quantity: Seat" }).click();
    await operator.page.getByLabel("New quantity").fill("35");
    await operator.confirm("Change quantity");
    await buyer.sees("35 available");

    await operator.page.getByRole("link", { name: "Audit of this event" }).click();
    await operator.page.getByRole("row", { name: /Changed a ticket type.*30 → 35/ }).waitFor();
    await operator.page.getByLabel("Acts on").selectOption({ label: "The sale" });
    await operator.page.getByRole("row", { name: /Paused the sale.*a queue at the door/ }).waitFor();
    await operator.expectAccessible();
  });

  test("an event is created, published and found in the shop", async (context) => {
    const operator = await operate(context, "/operations/new");
    const { page } = operator;
    const fields = { Place: "The Cellar", Date: "2031-07-01", "Begins at": "19:30" };
    await page.getByLabel("Name").first().fill("Made By Hand");
    for (const [label, value] of Object.entries(fields))
      await page.getByLabel(label, { exact: true }).fill(value);
    await page.getByLabel("Time zone of the place").fill("Europe/Vienna");
    await page.getByLabel("Name").nth(1).fill("Chair");
    await page.getByLabel("Price in EUR").fill("12.50");
    await page.getByLabel("Quantity", { exact: true }).fill("7");
    await operator.expectAccessible();
    await page.getByRole("button", { name: "Save the draft" }).click();
    await page.getByRole("heading", { name: "Made By Hand" }).waitFor();
    await operator.sees("Draft");
    await page.getByRole("button", { name: "Publish" }).click();
    await operator.confirm("Publish");
    await operator.sees("On sale");
    await page.getByRole("link", { name: "See it in the shop" }).click();
    await operator.sees("7 available");
    await operator.sees("€12.50");
    await operator.sees(/Tuesday,? 1 July 2031 at 19:30 CEST/);
  });

  test("a reservation is looked up, and its payment refunded", async (context) => {
    const { clients } = world();
    const { eventId, ticketTypes } = await putOnSale(clients, "Given Back", { Seat: 9 });
    const reservationId = await buy(eventId, ticketTypes[0]?.ticketTypeId ?? "", 2);
    const operator = await operate(context, `/operations/reservations?event=${eventId}`);
    const { page } = operator;
    await page.getByRole("row", { name: /2 × Seat.*Ada.*Paid/ }).waitFor();
    await operator.expectAccessible();
    await page.getByLabel("Look up by reservation number").fill(reservationId);
    await page.getByRole("button", { name: "Look up" }).click();
    await operator.sees("ada@example.org");
    await operator.expectAccessible();
    await page.getByRole("button", { name: "Refund" }).click();
    await page.getByLabel("Reason").fill("the buyer fell ill");
    await operator.confirm("Refund");
    await page.getByRole("dialog").getByText("Refunded").first().waitFor();
    await page.getByRole("dialog").getByText("Cancelled").first().waitFor();
    const { reservations } = await clients.reservation.listReservations({ eventId });
    expect(reservations).toMatchObject([{ reservationId, state: ReservationState.CANCELLED }]);
    expect(operator.addresses.filter((address) => /ada@|@example/.test(address))).toEqual([]);
  });

  test("a payment that nobody knows about is settled by the provider’s books", async (context) => {
    const { clients } = world();
    const { eventId, ticketTypes } = await putOnSale(clients, "Left Unknown", { Seat: 9 });
    await buy(eventId, ticketTypes[0]?.ticketTypeId ?? "", 1, "hang-charged");
    const operator = await operate(context, `/operations/payments?state=unknown&event=${eventId}`);
    const { page } = operator;
    await operator.sees("1 payment is unknown");
    await operator.expectAccessible();
    await page.getByRole("button", { name: "Settle" }).click();
    await page.getByLabel("The money was taken").check();
    await page.getByLabel("Reason").fill("statement of today");
    await operator.confirm("Settle");
    await operator.sees("No such payments");
    const { payments } = await clients.payment.listPayments({ eventId });
    expect(payments).toMatchObject([{ state: PaymentState.SUCCEEDED }]);
  });

  test("reservations and figures are saved as CSV", async (context) => {
    const { eventId, ticketTypes } = await putOnSale(world().clients, "In A Spreadsheet", { Seat: 9 });
    const reservationId = await buy(eventId, ticketTypes[0]?.ticketTypeId ?? "", 2);
    const operator = await operate(context, `/operations/events/${eventId}`);
    await operator.seesFigure("Paid", "2");
    const saved = async (name: string) => {
      const waiting = operator.page.waitForEvent("download");
      await operator.page.getByRole("button", { name, exact: true }).click();
      const download = await waiting;
      return { file: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
    };
    const reservations = await saved("Reservations");
    expect(reservations.file).toBe("In A Spreadsheet - Reservations.csv");
    expect(reservations.text).toContain(reservationId);
    const figures = await saved("Figures");
    expect(figures.text).toContain("Seat");
  });
}

/** Whole in form, and signed by nobody. */
const FORGED = `${btoa('{"alg":"EdDSA"}')}.${btoa('{"sub":"nobody"}')}.${btoa("signed")}`.replaceAll("=", "");
