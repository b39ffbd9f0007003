import { once } from "node:events";
import { statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { namedPorts, readLocalConfig } from "../../local/config.ts";
import { serviceDatabases } from "../../local/databases.ts";
import { LogFile, splitLines, worthReading } from "../../local/logs.ts";
import { recall } from "../../local/memory.ts";
import { refuseTakenPorts } from "../../local/ports.ts";
import { temporaryFolder } from "./support.ts";

test.each([
  [{ GATEWAY_PORT: "0" }, "GATEWAY_PORT must be a whole number from 1 to 65535"],
  [{ STATS_ADMIN_PORT: "http" }, "STATS_ADMIN_PORT must be a whole number from 1 to 65535"],
  [
    { DATABASE_URL: "mysql://secret@host/db" },
    "DATABASE_URL must be a URL that begins with postgres:// or postgresql://",
  ],
  [
    { PAYMENT_DATABASE_URL: "here" },
    "PAYMENT_DATABASE_URL must be a URL that begins with postgres:// or postgresql://",
  ],
  [{ NATS_URL: "localhost" }, "NATS_URL must be a URL that begins with nats:// or tls://"],
  [{ CATALOG_PORT: "8080" }, "CATALOG_PORT and GATEWAY_PORT are both 8080: set one of them"],
])("a wrong setting is named: %j", (env, message) => {
  expect(() => readLocalConfig(env)).toThrow(message);
});

test("a taken port is named with the variable that moves it", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { listenHost, ports, adminPorts } = readLocalConfig({ PAYMENT_PORT: String(port) });
  const free = { catalog: 0, reservation: 0, stats: 0, gateway: 0 };
  const named = namedPorts({
    listenHost,
    ports: { ...ports, ...free },
    adminPorts: { ...adminPorts, ...free, payment: 0 },
  });
  await expect(refuseTakenPorts(named)).rejects.toThrow(
    new Error(`Port ${port} is taken: free it, or set PAYMENT_PORT to another one.`),
  );
});

test("ports and passwords stay, and only their owner may read them", async () => {
  const folder = temporaryFolder();
  const first = await recall(folder);
  expect(await recall(folder)).toEqual(first);
  expect(statSync(join(folder, "stack.json")).mode & 0o777).toBe(0o600);

  const server = createServer().listen(first.postgresPort, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const moved = await recall(folder);
  expect(moved.postgresPort).not.toBe(first.postgresPort);
  expect(moved.rolePasswords).toEqual(first.rolePasswords);

  writeFileSync(join(folder, "stack.json"), "{");
  await expect(recall(folder)).rejects.toThrow(/is damaged/);
});

test("each service connects as its own role, or as its own variable says", () => {
  const passwords = { catalog: "c", reservation: "r", payment: "p", stats: "s" };
  const own = "postgresql://me:pw@elsewhere/db";
  const config = readLocalConfig({ STATS_DATABASE_URL: own });
  const owner = "postgresql://boxoffice:o@127.0.0.1:5/boxoffice";
  const databases = serviceDatabases(config, owner, passwords);
  expect(databases[1]).toEqual({
    service: "reservation",
    url: "postgresql://boxoffice_reservation:r@127.0.0.1:5/boxoffice",
    ownerUrl: owner,
  });
  expect(databases[3]).toEqual({ service: "stats", url: own, ownerUrl: undefined });
});

test.each([
  ['{"level":"info","msg":"fine"}', undefined],
  ['{"level":"warn","msg":"slow","error":{"message":"timed out"}}', "warn: slow (timed out)"],
  ['{"level":"error","msg":"broken"}', "error: broken"],
  ["2026-11-24 02:00:00.000 UTC [7] ERROR:  duplicate key value", undefined],
  [
    "2026-11-24 02:00:00.000 UTC [7] FATAL:  could not open file",
    "2026-11-24 02:00:00.000 UTC [7] FATAL:  could not open file",
  ],
  ["[7] 2026/11/24 02:00:00.000000 [INF] Server is ready", undefined],
  ["[7] 2026/11/24 02:00:00.000000 [ERR] no space", "[7] 2026/11/24 02:00:00.000000 [ERR] no space"],
  ["    at file:///main.ts:3:9", "    at file:///main.ts:3:9"],
  ["", undefined],
])("the terminal shows of %s", (line, shown) => {
  expect(worthReading(line)).toBe(shown);
});

test("a log file stays within twice its limit", () => {
  const file = join(temporaryFolder(), "x.log");
  const log = new LogFile(file, 1_000);
  for (let n = 0; n < 500; n++) log.write("0123456789");
  expect(statSync(file).size).toBeLessThan(1_100);
  expect(statSync(`${file}.1`).size).toBeLessThan(1_100);
});

test("lines come whole however they are cut, and an endless one is cut off", () => {
  const lines: string[] = [];
  const split = splitLines((line) => lines.push(line), 10);
  for (const chunk of ["on", "e\ntwo\nth", "ree\n", "x".repeat(50), "y\n"]) split(chunk);
  expect(lines).toEqual(["one", "two", "three", "xxxxxxxxxx"]);
});
