import { setting } from "@boxoffice/platform/config.ts";
import { Relay } from "@boxoffice/platform/outbox.ts";
import type { ServiceDefinition } from "@boxoffice/platform/service-process.ts";
import { Cashier } from "./cashier.ts";
import { runCompleter } from "./completer.ts";
import { readHmacKey } from "./hmac-key.ts";
import { measureUnsettled } from "./metrics.ts";
import { OperatorDesk } from "./operator-desk.ts";
import { PaymentSteps } from "./payment-steps.ts";
import { httpProvider } from "./provider/http.ts";
import { sandbox } from "./provider/sandbox.ts";
import { ProviderCalls } from "./provider-calls.ts";
import { ReservationCalls } from "./reservation-calls.ts";
import { Settlement } from "./settlement.ts";
import { type Ledger, openLedger } from "./store/ledger.ts";

/** Beside what the provider may take, what the steps around it do, in milliseconds. */
const STEPS_MS = 5_000;

/** How long a process that stops waits for payments under way, after the calls that wait for them were let finish. */
const DRAIN_MS = 3_000;

/** The payment service as a process: its name, its ports, and its settings. */
export const PAYMENT = {
  name: "payment",
  ports: { rpc: 50_053, admin: 9153 },
  settings: {
    RESERVATION_ADDRESS: setting.text().default("127.0.0.1:50052"),
    PROVIDER_URL: setting.url("http:", "https:").optional(),
    PROVIDER_API_KEY: setting.text().optional(),
    PROVIDER_TIMEOUT_MS: setting.integer({ min: 1, max: 120_000, fallback: 10_000 }),
    PROVIDER_CONCURRENCY: setting.integer({ min: 1, max: 10_000, fallback: 500 }),
    PROVIDER_BREAKER_PAUSE_MS: setting.integer({ min: 1, max: 600_000, fallback: 5_000 }),
    TOKEN_HMAC_KEY: setting.text().min(32, { error: "must have at least 32 characters" }).optional(),
    PRIVATE_KEY_FILE: setting.text(),
  },
};

type Parts = Parameters<ServiceDefinition<typeof PAYMENT.settings>["assemble"]>[0];

/**
 * Puts the service together, all but its doors, and starts its loops.
 *
 * @param reached see {@link Ledger}; a process that serves has none
 */
export function assemble(parts: Parts, reached?: Ledger["reached"]) {
  const { settings, database, bus, runtime, log, lifecycle, transportTo } = parts;
  const relay = new Relay({ service: "payment", database, bus, runtime, log });
  const onCommit = () => relay.wake();
  const ledger = openLedger({ database, newId: runtime.newId, onCommit, ...(reached && { reached }) });
  const transport = transportTo("reservation", settings.RESERVATION_ADDRESS);
  const reservations = new ReservationCalls({ transport, runtime });
  const { PROVIDER_URL, PROVIDER_API_KEY, PROVIDER_TIMEOUT_MS: timeoutMs } = settings;
  if (PROVIDER_URL === undefined) log.info("no PROVIDER_URL: payments go to a sandbox that moves no money");
  const provider = new ProviderCalls({
    provider: PROVIDER_URL ? httpProvider({ url: PROVIDER_URL, apiKey: PROVIDER_API_KEY }) : sandbox,
    runtime,
    log,
    timeoutMs,
    maxConcurrent: settings.PROVIDER_CONCURRENCY,
    breakerPauseMs: settings.PROVIDER_BREAKER_PAUSE_MS,
  });
  const answerWithinMs = timeoutMs + STEPS_MS;
  const settlement = new Settlement({ ledger, reservations, provider, log });
  const common = { ledger, settlement, provider, runtime, log };
  const steps = new PaymentSteps({ ...common, reservations });
  const hmacKey = readHmacKey(settings.TOKEN_HMAC_KEY, settings.PRIVATE_KEY_FILE);
  const cashier = new Cashier({ ...common, reservations, steps, hmacKey });
  const desk = new OperatorDesk({ ...common, answerWithinMs });
  measureUnsettled(database);
  lifecycle.supervise("relay", (signal) => relay.run(signal));
  lifecycle.supervise("completer", (signal) => runCompleter(common, signal));
  lifecycle.onStop("payments under way", () => cashier.drain(DRAIN_MS));
  lifecycle.onStop("operators' acts", () => desk.stop());
  return { ledger, cashier, desk, answerWithinMs };
}
