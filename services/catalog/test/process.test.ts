import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createCatalog } from "./harness.ts";

let catalog: Awaited<ReturnType<typeof createCatalog>>;

beforeAll(async () => {
  catalog = await createCatalog();
});

afterAll(() => catalog.end());

test("the process serves, says so, and drains on SIGTERM", async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "..", "main.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      CATALOG_DATABASE_URL: catalog.url,
      CATALOG_PORT: "0",
      CATALOG_ADMIN_PORT: "0",
      RESERVATION_ADDRESS: catalog.sale.address,
      NATS_URL: inject("natsUrl"),
      JWKS_FILE: join(catalog.folder, "jwks.json"),
      PRIVATE_KEY_FILE: join(catalog.folder, "catalog.key"),
    },
  });
  const lines: { msg: string; adminPort?: number }[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    for (const line of text.split("\n")) if (line) lines.push(JSON.parse(line));
  });
  const adminPort = () => lines.find(({ msg }) => msg === "serving")?.adminPort;
  await expect.poll(adminPort, { timeout: 15_000 }).toBeTypeOf("number");
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${adminPort()}${path}`)).status;
  await expect.poll(() => ask("/readyz"), { timeout: 5_000 }).toBe(200);
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});
