import { setting } from "@boxoffice/platform/config.ts";
import { Relay } from "@boxoffice/platform/outbox.ts";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { runServiceProcess } from "@boxoffice/platform/service-process.ts";
import { SalesService } from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import { Completer } from "./completer.ts";
import { catalogService } from "./rpc/catalog-service.ts";
import { feedService } from "./rpc/feed-service.ts";
import { tellSaleBy } from "./sales.ts";

/** How long one call to the sale may take: well below the completer's lease. */
const SALES_TIMEOUT_MS = 4_000;

await runServiceProcess({
  name: "catalog",
  ports: { rpc: 50_051, admin: 9151 },
  settings: { RESERVATION_ADDRESS: setting.text().default("127.0.0.1:50052") },
  assemble({ settings, database, bus, runtime, log, lifecycle, transportTo }) {
    const relay = new Relay({ service: "catalog", database, bus, runtime, log });
    const onCommit = () => relay.wake();
    const sales = createRpcClient(SalesService, transportTo("reservation", settings.RESERVATION_ADDRESS));
    const tellSale = tellSaleBy(sales, SALES_TIMEOUT_MS);
    const completer = new Completer({ database, tellSale, runtime, log, onCommit });
    lifecycle.onStop("deliveries", () => completer.idle());
    lifecycle.supervise("relay", (signal) => relay.run(signal));
    lifecycle.supervise("completer", (signal) => completer.run(signal));
    return [
      catalogService({ database, completer, newId: runtime.newId, onCommit }),
      feedService({ database }),
    ];
  },
});
