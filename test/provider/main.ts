/**
 * The simulated payment provider as a process of its own, so that its books outlive whatever is killed beside it:
 *
 *   PROVIDER_PORT=9999 PROVIDER_LEDGER=/tmp/ledger PROVIDER_LOOKUP=1 node test/provider/main.ts
 */
import { readConfig, setting } from "@boxoffice/platform/config.ts";
import { Ledger } from "./ledger.ts";
import { createSimulator } from "./server.ts";

const settings = readConfig({
  PROVIDER_PORT: setting.port(0),
  PROVIDER_HOST: setting.text().default("127.0.0.1"),
  PROVIDER_LEDGER: setting.text(),
  PROVIDER_LOOKUP: setting.text().optional(),
});

const server = createSimulator({
  ledger: new Ledger(settings.PROVIDER_LEDGER),
  canLookUp: settings.PROVIDER_LOOKUP !== undefined,
});
server.listen(settings.PROVIDER_PORT, settings.PROVIDER_HOST, () => console.log("the provider is open"));
process.once("SIGTERM", () => process.exit(0));
