import { Counter, Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import { type AdminServer, startAdmin } from "../src/admin.ts";

let admin: AdminServer | undefined;
let isReady = false;

afterEach(() => admin?.close());

const start = async (port = 0) => {
  const registry = new Registry();
  new Counter({ name: "tickets_total", help: "Tickets.", registers: [registry] }).inc(3);
  admin = await startAdmin({ host: "127.0.0.1", port, isReady: () => isReady, registry });
  return admin;
};

test("tells alive from ready, and the metrics to whoever asks", async () => {
  const { port } = await start();
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return [response.status, await response.text()] as const;
  };
  expect(await ask("/readyz")).toEqual([503, "not ready\n"]);
  expect(await ask("/livez")).toEqual([200, "alive\n"]);
  isReady = true;
  expect(await ask("/readyz")).toEqual([200, "ready\n"]);
  const [, metrics] = await ask("/metrics");
  for (const line of ["tickets_total 3", "boxoffice_ready 1", "nodejs_eventloop_lag_p99_seconds "]) {
    expect(metrics).toContain(line);
  }
  expect((await ask("/"))[0]).toBe(404);
});

test("names the address that is taken", async () => {
  const { port } = await start();
  await expect(
    startAdmin({ host: "127.0.0.1", port, isReady: () => true, registry: new Registry() }),
  ).rejects.toThrow(`cannot listen on 127.0.0.1:${port}`);
});
