import { setting } from "@boxoffice/platform/config.ts";
import { Relay } from "@boxoffice/platform/outbox.ts";
import { runServiceProcess } from "@boxoffice/platform/service-process.ts";
import { Cashier } from "./cashier.ts";
import { runCompleter } from "./completer.ts";
import { readHmacKey } from "./hmac-key.ts";
import { PaymentSteps } from "./payment-steps.ts";
import { sandbox } from "./provider/sandbox.ts";
import { ReservationCalls } from "./reservation-calls.ts";
import { ledgerService } from "./rpc/ledger-service.ts";
import { paymentService } from "./rpc/payment-service.ts";
import { Settlement } from "./settlement.ts";

/** Beside what the provider may take, what the steps around it do, in milliseconds. */
const STEPS_MS = 5_000;

/** How long a process that stops waits for payments under way, after the calls that wait for them were let finish. */
const DRAIN_MS = 3_000;

await runServiceProcess({
  name: "payment",
  ports: { rpc: 50_053, admin: 9153 },
  settings: {
    RESERVATION_ADDRESS: setting.text().default("127.0.0.1:50052"),
    PROVIDER_TIMEOUT_MS: setting.integer({ min: 1, max: 120_000, fallback: 10_000 }),
    TOKEN_HMAC_KEY: setting.text().min(32, { error: "must have at least 32 characters" }).optional(),
    PRIVATE_KEY_FILE: setting.text(),
  },
  assemble({ settings, database, bus, runtime, log, lifecycle, transportTo }) {
    const relay = new Relay({ service: "payment", database, bus, runtime, log });
    const ledger = { database, newId: runtime.newId, onCommit: () => relay.wake() };
    const transport = transportTo("reservation", settings.RESERVATION_ADDRESS);
    const reservations = new ReservationCalls({ transport, runtime });
    const settlement = new Settlement({ ledger, reservations, log });
    const provider = sandbox;
    const providerTimeoutMs = settings.PROVIDER_TIMEOUT_MS;
    const steps = new PaymentSteps({
      ledger,
      reservations,
      settlement,
      provider,
      runtime,
      log,
      providerTimeoutMs,
    });
    const cashier = new Cashier({
      ledger,
      reservations,
      settlement,
      steps,
      runtime,
      log,
      hmacKey: readHmacKey(settings.TOKEN_HMAC_KEY, settings.PRIVATE_KEY_FILE),
    });
    lifecycle.supervise("relay", (signal) => relay.run(signal));
    lifecycle.supervise("completer", (signal) =>
      runCompleter({ ledger, settlement, provider, runtime, log }, signal),
    );
    lifecycle.onStop("payments under way", () => cashier.drain(DRAIN_MS));
    return [
      paymentService({ ledger, cashier, answerWithinMs: providerTimeoutMs + STEPS_MS }),
      ledgerService({ database }),
    ];
  },
});
