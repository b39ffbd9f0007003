import { setting } from "@boxoffice/platform/config.ts";
import { runServiceProcess } from "@boxoffice/platform/service-process.ts";
import { runConsumer } from "./consumer.ts";
import { runMaintenance } from "./maintenance/runner.ts";
import { measureVerification } from "./metrics.ts";
import { statsService } from "./rpc/stats-service.ts";
import { Watches } from "./watches.ts";

await runServiceProcess({
  name: "stats",
  ports: { rpc: 50_054, admin: 9154 },
  readsWholeTables: true,
  settings: {
    CATALOG_ADDRESS: setting.text().default("127.0.0.1:50051"),
    RESERVATION_ADDRESS: setting.text().default("127.0.0.1:50052"),
    PAYMENT_ADDRESS: setting.text().default("127.0.0.1:50053"),
    VERIFY_EVERY_HOURS: setting.integer({ min: 0, max: 8_760, fallback: 6 }),
  },
  assemble({ settings, database, bus, runtime, log, lifecycle, transportTo }) {
    const sources = {
      catalog: transportTo("catalog", settings.CATALOG_ADDRESS),
      reservation: transportTo("reservation", settings.RESERVATION_ADDRESS),
      payment: transportTo("payment", settings.PAYMENT_ADDRESS),
    };
    const watches = new Watches({ database, runtime, log });
    measureVerification(database);
    lifecycle.supervise("consumer", (signal) => runConsumer({ database, bus, runtime, log }, signal));
    lifecycle.supervise("maintenance", (signal) =>
      runMaintenance(
        { database, sources, runtime, log, verifyEveryHours: settings.VERIFY_EVERY_HOURS },
        signal,
      ),
    );
    lifecycle.supervise("watches", (signal) => watches.run(signal));
    return [statsService({ database, watches, newId: runtime.newId })];
  },
});
