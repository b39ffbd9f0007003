import { runServiceProcess } from "@boxoffice/platform/service-process.ts";
import { runConsumer } from "./consumer.ts";
import { statsService } from "./rpc/stats-service.ts";

await runServiceProcess({
  name: "stats",
  ports: { rpc: 50_054, admin: 9154 },
  settings: {},
  assemble({ database, bus, log, lifecycle }) {
    lifecycle.supervise("consumer", (signal) => runConsumer({ database, bus, log }, signal));
    return [statsService({ database })];
  },
});
