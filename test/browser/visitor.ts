import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { expect, type TestContext } from "vitest";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** On every page, the Tab key has been everywhere after so many presses. */
const MOST_TABS = 100;

/** Somebody with a browser of their own. Whatever their pages complain about fails the test. */
export class Visitor {
  readonly page: Page;
  readonly #complaints: string[] = [];
  readonly #addresses: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.#complaints.push(String(error)));
    page.on("console", (message) => {
      // A refused call is no fault of the page, though the browser writes it down.
      const isAnswer = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !isAnswer) this.#complaints.push(message.text());
    });
    page.on("request", (request) => this.#addresses.push(request.url()));
  }

  static async arrive(
    browser: Browser,
    baseURL: string,
    { onTestFinished }: TestContext,
    options: BrowserContextOptions = {},
  ): Promise<Visitor> {
    const context = await browser.newContext({
      baseURL,
      locale: "en-GB",
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(60_000);
    const visitor = new Visitor(await context.newPage());
    onTestFinished(async () => {
      await context.close();
      expect(visitor.#complaints).toEqual([]);
    });
    return visitor;
  }

  /** Chooses tickets on the page of an event, by the names of their types. */
  async choose(quantities: Record<string, number>): Promise<void> {
    for (const [type, quantity] of Object.entries(quantities)) {
      await this.page.getByRole("spinbutton", { name: `Quantity: ${type}` }).fill(String(quantity));
    }
  }

  /** Reserves on the page of an event, and comes to the hold. @returns the reservation's id */
  async reserve(eventId: string, quantities: Record<string, number>): Promise<string> {
    await this.page.goto(`/events/${eventId}`);
    await this.choose(quantities);
    await this.page.getByRole("button", { name: "Reserve" }).click();
    await this.seesHold();
    return this.reservationId();
  }

  async seesHold(): Promise<void> {
    await this.page.getByRole("heading", { name: "Your tickets are held" }).waitFor();
  }

  reservationId(): string {
    return new URL(this.page.url()).hash.slice(1);
  }

  async pay(card = "Card that works"): Promise<void> {
    await this.page.getByRole("radio", { name: card }).check();
    await this.page.getByRole("button", { name: /^Pay / }).click();
  }

  /** Moves on by the Tab key until it is there. */
  async tabTo(target: Locator): Promise<void> {
    await target.waitFor();
    for (let presses = 0; presses < MOST_TABS; presses++) {
      if (await this.isAt(target)) return;
      await this.page.keyboard.press("Tab");
    }
    throw new Error(`The Tab key does not lead to ${target}`);
  }

  /** Whether what is typed goes there. */
  isAt(target: Locator): Promise<boolean> {
    return target.evaluate((element) => element === document.activeElement);
  }

  /** Looks at another tab, and then at this one again. */
  async comesBack(): Promise<void> {
    for (const state of ["hidden", "visible"]) await this.page.evaluate(setSight, state);
  }

  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  /** Waits until a figure of the operations pages has come to be so. */
  async seesFigure(label: string, value: string): Promise<void> {
    const figure = this.page.locator(".figure").filter({
      has: this.page.getByRole("term").filter({ hasText: new RegExp(`^${label}$`) }),
    });
    await figure.getByText(value, { exact: true }).waitFor();
  }

  /** Does what a dialog asks about, and waits until it is done. */
  async confirm(act: string): Promise<void> {
    const dialog = this.page.getByRole("dialog").or(this.page.getByRole("alertdialog")).last();
    await dialog.getByRole("button", { name: act, exact: true }).click();
    await dialog.getByLabel("Reason").waitFor({ state: "detached" });
  }

  /** The addresses of everything that was asked for so far. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** Looks for what keeps people from using the page; for its colours, in light and in dark. */
  async expectAccessible(): Promise<void> {
    const [light, dark] = [await this.#violations(EVERY_RULE), await this.#violationsInDark()];
    expect([...light, ...dark], this.page.url()).toEqual([]);
  }

  async #violationsInDark(): Promise<string[]> {
    await this.page.emulateMedia({ colorScheme: "dark" });
    const found = await this.#violations(COLOURS);
    await this.page.emulateMedia({ colorScheme: "light" });
    return found;
  }

  async #violations(options: string): Promise<string[]> {
    if (!(await this.page.evaluate('"axe" in window'))) await this.page.evaluate(AXE);
    const { violations } = await this.page.evaluate<AxeResults>(`axe.run(${options})`);
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  }
}

/** Runs in the page: whether its tab is the one that is looked at. */
export function setSight(state: string): void {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}

const EVERY_RULE = '{ resultTypes: ["violations"] }';
const COLOURS = '{ resultTypes: ["violations"], runOnly: "color-contrast" }';
