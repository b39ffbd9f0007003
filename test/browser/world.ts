import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium } from "playwright-core";
import { type TestContext, vi } from "vitest";
import type { DemoClients } from "../../local/demo.ts";
import { operatorClients } from "../../local/operator.ts";
import { reach } from "../../local/services.ts";
import { ensurePages } from "../../local/web.ts";
import { Ledger } from "../provider/ledger.ts";
import { createSimulator } from "../provider/server.ts";
import { type BoxOffice, startBoxOffice } from "../support/box-office.ts";
import { launchOptions } from "./chromium.ts";
import { Visitor } from "./visitor.ts";

/** How long the payment company may take: those that never answer are unknown after it. */
const PROVIDER_TIMEOUT_MS = 1000;

/** A whole box office with its pages, a payment company that does as the card says, and a browser. */
export class World {
  readonly boxOffice: BoxOffice;
  /** The public contract, as an operator calls it. */
  readonly clients: DemoClients;
  readonly #address: string;
  readonly #browser: Browser;
  readonly #end: () => Promise<void>;

  private constructor(boxOffice: BoxOffice, browser: Browser, end: () => Promise<void>) {
    const gateway = reach(boxOffice.stack.config, "gateway");
    this.boxOffice = boxOffice;
    this.clients = operatorClients(gateway, boxOffice.operatorToken);
    this.#address = `http://${gateway}`;
    this.#browser = browser;
    this.#end = end;
  }

  static async begin(executable: string): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), "boxoffice-provider-"));
    const provider = createSimulator({ ledger: new Ledger(join(folder, "ledger")), canLookUp: false });
    vi.stubEnv("PROVIDER_URL", await listen(provider));
    vi.stubEnv("PROVIDER_TIMEOUT_MS", String(PROVIDER_TIMEOUT_MS));
    const [boxOffice, browser] = await Promise.all([
      ensurePages(() => undefined).then(() => startBoxOffice()),
      chromium.launch(launchOptions(executable)),
    ]);
    return new World(boxOffice, browser, async () => {
      await browser.close();
      await boxOffice.end();
      provider.closeAllConnections();
      provider.close();
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true });
    });
  }

  /** Somebody new comes to the pages, and leaves when the test ends. */
  arrive(test: TestContext, options: BrowserContextOptions = {}): Promise<Visitor> {
    return Visitor.arrive(this.#browser, this.#address, test, options);
  }

  /** An operator who has signed in comes to one of their pages. */
  async operate(test: TestContext, path: string): Promise<Visitor> {
    const operator = await this.arrive(test);
    await operator.page.addInitScript(
      (token) => sessionStorage.setItem("boxoffice.operator", token),
      this.boxOffice.operatorToken,
    );
    await operator.page.goto(path);
    await operator.page.getByRole("button", { name: "Sign out" }).waitFor();
    return operator;
  }

  end(): Promise<void> {
    return this.#end();
  }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}
