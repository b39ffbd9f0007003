import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { PaymentService, PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import {
  ReservationService,
  ReservationState,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PROCESSES, readLocalConfig } from "../../local/config.ts";
import { ensureDemo } from "../../local/demo.ts";
import { createOperatorToken, operatorClients } from "../../local/operator.ts";
import { freePort } from "../../local/ports.ts";
import { reach } from "../../local/services.ts";
import { Stack } from "../../local/stack.ts";
import { fetchTransport } from "../support/fetch-transport.ts";
import { runJourney } from "./journey.ts";

let folder: string;
let stack: Stack;
let token: string;
let gateway: string;

/** The whole box office as `npm start` runs it, with a PostgreSQL, a nats-server, ports and keys of its own. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "boxoffice-journey-"));
  chmodSync(folder, 0o755); // as root, PostgreSQL runs as another user
  const ports: Record<string, string> = {};
  for (const name of PROCESSES) {
    ports[`${name.toUpperCase()}_PORT`] = String(await freePort());
    ports[`${name.toUpperCase()}_ADMIN_PORT`] = String(await freePort());
  }
  stack = await Stack.claim(readLocalConfig({ BOXOFFICE_DATA: folder, ...ports }), () => undefined);
  await stack.start();
  token = await createOperatorToken(stack.keysFolder);
  gateway = `http://${reach(stack.config, "gateway")}`;
}, 90_000);

afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}, 60_000);

test("the whole journey, with nothing but HTTP and JSON", async () => {
  await runJourney({ address: gateway, token });
}, 60_000);

test("the command says which step failed", () => {
  const command = fileURLToPath(import.meta.resolve("./main.ts"));
  const { status, stderr } = spawnSync(process.execPath, [command, "http://127.0.0.1:1", token], {
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([1, expect.stringContaining('step "the gateway is there" failed')]);
});

test("reserve and pay in binary, with the generated clients", async () => {
  const transport = fetchTransport({ baseUrl: gateway });
  const headers = { authorization: `Bearer ${token}` };
  const catalog = createClient(CatalogService, transport);
  const { event: created } = await catalog.createEvent(
    {
      event: {
        name: "In binary",
        startsAt: { seconds: BigInt(Math.floor(Date.now() / 1000) + 86_400) },
        timeZone: "Europe/Rome",
        ticketTypes: [{ name: "Seat", price: { currencyCode: "EUR", minorUnits: 1500n }, quantity: 3 }],
      },
    },
    { headers },
  );
  const eventId = created?.eventId ?? "";
  await catalog.publishEvent({ eventId }, { headers });
  const reservations = createClient(ReservationService, transport);
  await expect
    .poll(async () => reservations.getAvailability({ eventId }).catch(() => undefined))
    .toBeTruthy();
  const [seat] = (await reservations.getAvailability({ eventId })).ticketTypes;
  const items = [{ ticketTypeId: seat?.ticketTypeId ?? "", quantity: 2 }];
  const { reservation: held } = await reservations.reserve({ eventId, items });
  expect(held).toMatchObject({ state: ReservationState.HELD, total: { minorUnits: 3000n } });
  const { payment, reservation } = await createClient(PaymentService, transport).payReservation({
    reservationId: held?.reservationId ?? "",
    token: "visa",
  });
  expect([payment?.state, reservation?.state]).toEqual([PaymentState.SUCCEEDED, ReservationState.PAID]);
  const stats = createClient(StatsService, transport);
  await expect
    .poll(async () => (await stats.getEventStats({ eventId }, { headers })).eventStats?.paid, {
      timeout: 5000,
    })
    .toBe(2n);
});

test("the demo events are made once", async () => {
  const clients = operatorClients(reach(stack.config, "gateway"), token);
  const file = join(folder, "demo-of-the-test.json");
  const seed = { seed: folder, firstStart: new Date().toISOString(), done: false };
  writeFileSync(file, JSON.stringify(seed)); // events exist already: go on as a start that was cut
  const showcase = await ensureDemo(file, clients);
  expect(showcase?.eventId).toBeTruthy();
  expect(await ensureDemo(file, clients)).toEqual(showcase);
  const { events } = await clients.catalog.listEvents({ query: "blue room" });
  expect(events).toHaveLength(1);
  const { ticketTypes } = await clients.reservation.getAvailability({ eventId: events[0]?.eventId ?? "" });
  expect(ticketTypes.map(({ name, available }) => [name, available])).toEqual([
    ["Table seat", 2],
    ["Bar", 1],
  ]);
}, 30_000);
