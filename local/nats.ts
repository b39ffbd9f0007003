import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NatsServer } from "./nats-server.ts";
import type { ProcessSpec } from "./supervisor.ts";

export type NatsOptions = {
  server: NatsServer;
  /** Where the configuration and JetStream's files shall be. */
  folder: string;
  port: number;
  /** Whether what JetStream acknowledged must survive a power cut. Takes nats-server 2.10. */
  durable: boolean;
};

/** Tells how to run nats-server with JetStream, reachable from this machine only. */
export function prepareNats({ server, folder, port, durable }: NatsOptions): {
  spec: ProcessSpec;
  url: string;
} {
  mkdirSync(folder, { recursive: true });
  const configFile = join(folder, "nats-server.conf");
  // By default it writes to disk every two minutes, and acknowledges before. 2.9 has no setting for that.
  const sync = durable && server.minor >= 10 ? "  sync_interval: always\n" : "";
  writeFileSync(
    configFile,
    `listen: "127.0.0.1:${port}"\njetstream {\n  store_dir: ${JSON.stringify(join(folder, "jetstream"))}\n${sync}}\n`,
  );
  return {
    url: `nats://127.0.0.1:${port}`,
    spec: {
      name: "nats",
      command: server.path,
      args: ["--config", configFile],
      readyWhen: { logged: "Server is ready" },
      readyWithinMs: 30_000,
      stopSignal: "SIGTERM",
      stopWithinMs: 5_000,
      tier: 1,
    },
  };
}
