import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { Bus } from "@boxoffice/platform/bus.ts";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { createGrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import { createStats, log, payloadOf, type Stats, tokenOf } from "./harness.ts";
import { batchOf, event, reservation, ticketType } from "./messages.ts";

let stats: Stats;

beforeAll(async () => {
  stats = await createStats();
});

const children: ChildProcess[] = [];

/** Where a test fails, its process must not outlive it. */
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

afterAll(() => stats.end());

async function startProcess(natsUrl: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "..", "main.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      STATS_DATABASE_URL: stats.url,
      STATS_PORT: "0",
      STATS_ADMIN_PORT: "0",
      NATS_URL: natsUrl,
      JWKS_FILE: join(stats.folder, "jwks.json"),
      PRIVATE_KEY_FILE: join(stats.folder, "stats.key"),
    },
  });
  children.push(child);
  const lines: { msg: string; port: number; adminPort: number }[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    for (const line of text.split("\n")) if (line) lines.push(JSON.parse(line));
  });
  const serving = () => lines.find(({ msg }) => msg === "serving");
  await expect.poll(serving, { timeout: 15_000 }).toBeDefined();
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${serving()?.adminPort}${path}`)).status;
  await expect.poll(() => ask("/readyz"), { timeout: 5_000 }).toBe(200);
  return {
    address: `127.0.0.1:${serving()?.port}`,
    ask,
    async terminate() {
      child.kill("SIGTERM");
      return await once(child, "exit");
    },
  };
}

test("the process counts what is published, serves it, and drains on SIGTERM", async () => {
  const running = await startProcess(inject("natsUrl"));
  expect([await running.ask("/livez"), await running.ask("/metrics")]).toEqual([200, 200]);
  const token = await tokenOf(stats.folder, "operator");
  const transport = createGrpcTransport(running.address, { defaultTimeoutMs: 5_000, bearer: () => token });
  const client = createRpcClient(StatsService, transport);

  const bus = new Bus({ url: inject("natsUrl"), name: "stats test", log });
  await expect.poll(() => bus.isConnected, { timeout: 10_000 }).toBe(true);
  const [eventId, typeId] = [randomUUID(), randomUUID()];
  const sold = reservation("sold", { state: "PAID", items: { [typeId]: [2, 10_00] } });
  const batch = batchOf(eventId, [event(eventId), ticketType(typeId), sold]);
  await bus.publish([{ subject: `catalog.v1.${eventId}`, id: batch.batchId, payload: payloadOf(batch) }]);
  const paid = () =>
    client.getEventStats({ eventId }).then(
      ({ eventStats }) => eventStats?.paid,
      () => undefined,
    );
  await expect.poll(paid, { timeout: 10_000 }).toBe(2n);

  transport.close();
  await bus.close();
  expect(await running.terminate()).toEqual([0, null]);
});

test("without NATS it serves what it has counted, and ends as orderly", async () => {
  const running = await startProcess("nats://127.0.0.1:1");
  expect(await running.terminate()).toEqual([0, null]);
});
