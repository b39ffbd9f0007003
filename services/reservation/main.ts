import { setting } from "@boxoffice/platform/config.ts";
import { Relay } from "@boxoffice/platform/outbox.ts";
import { runServiceProcess } from "@boxoffice/platform/service-process.ts";
import { createChangeLane, createReserveLanes } from "./lanes.ts";
import { AvailabilityNews } from "./news.ts";
import { availabilityWatches, reservationService } from "./rpc/reservation-service.ts";
import { salesService } from "./rpc/sales-service.ts";
import { runSweeper } from "./sweeper.ts";

await runServiceProcess({
  name: "reservation",
  ports: { rpc: 50_052, admin: 9152 },
  settings: {
    HOLD_SECONDS: setting.integer({ min: 1, max: 86_400, fallback: 900 }),
    PAY_MARGIN_SECONDS: setting.integer({ min: 0, max: 600, fallback: 5 }),
    RESERVE_LANES: setting.integer({ min: 1, max: 64, fallback: 4 }),
    RESERVE_BATCH: setting.integer({ min: 1, max: 5_000, fallback: 500 }),
    RESERVE_QUEUE: setting.integer({ min: 1, max: 1_000_000, fallback: 10_000 }),
  },
  assemble({ settings, database, bus, runtime, log, lifecycle }) {
    const { newId } = runtime;
    const relay = new Relay({ service: "reservation", database, bus, runtime, log });
    const news = new AvailabilityNews(bus);
    const watches = availabilityWatches({ database, runtime, log });
    news.hear((eventId) => watches.changed(eventId), lifecycle.signal);
    const onCommit = (eventIds: Iterable<string> = []) => {
      relay.wake();
      for (const eventId of eventIds) {
        news.changed(eventId);
        watches.changed(eventId);
      }
    };
    const laneOptions = {
      database,
      newId,
      onCommit,
      lanes: settings.RESERVE_LANES,
      maxBatch: settings.RESERVE_BATCH,
      maxQueue: settings.RESERVE_QUEUE,
    };
    const reserving = createReserveLanes({ ...laneOptions, holdMs: settings.HOLD_SECONDS * 1_000 });
    const changing = createChangeLane(laneOptions);
    lifecycle.supervise("relay", (signal) => relay.run(signal));
    lifecycle.supervise("sweeper", (signal) =>
      runSweeper({ database, newId, runtime, log, onCommit }, signal),
    );
    const payMarginMs = settings.PAY_MARGIN_SECONDS * 1_000;
    return [
      reservationService({ database, reserving, changing, newId, watches, onCommit }),
      salesService({ database, reserving, changing, newId, onCommit, payMarginMs }),
    ];
  },
});
