import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { createGrpcTransport, type GrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import {
  ReservationService,
  ReservationState,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import type { DescService } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { reach } from "../../local/services.ts";
import { runCommand } from "../../packages/op/program.ts";
import { Ledger, readLedger } from "../provider/ledger.ts";
import { createSimulator } from "../provider/server.ts";
import { type BoxOffice, startBoxOffice } from "../support/box-office.ts";

const SERVICES = ["catalog", "reservation", "payment", "stats"] as const;

let box: BoxOffice;
let folder: string;
let ledgerFile: string;
let provider: Server;
const transports: GrpcTransport[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "boxoffice-provider-"));
  ledgerFile = join(folder, "ledger");
  provider = createSimulator({ ledger: new Ledger(ledgerFile), canLookUp: false });
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  const address = provider.address() as { port: number };
  vi.stubEnv("PROVIDER_URL", `http://127.0.0.1:${address.port}`);
  vi.stubEnv("PROVIDER_TIMEOUT_MS", "1000");
  box = await startBoxOffice();
}, 90_000);

afterAll(async () => {
  for (const transport of transports) transport.close();
  await box?.end();
  provider?.closeAllConnections();
  provider?.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
}, 60_000);

/** A client of a service, in an operator's name. */
function connect<S extends DescService>(name: (typeof SERVICES)[number], desc: S) {
  const bearer = () => box.operatorToken;
  const transport = createGrpcTransport(reach(box.stack.config, name), { defaultTimeoutMs: 20_000, bearer });
  transports.push(transport);
  return createRpcClient(desc, transport);
}

async function op(...args: string[]) {
  const ended = { stdout: "", stderr: "", status: 0 };
  await runCommand(args, {
    env: box.env,
    out: (text) => {
      ended.stdout += text;
    },
    err: (text) => {
      ended.stderr += text;
    },
    end: (exit) => {
      ended.status = exit;
    },
  });
  return ended;
}

test("settles what is unknown, and gives back one payment and then a cancelled event's", {
  timeout: 120_000,
}, async () => {
  const [catalog, sale] = [connect("catalog", CatalogService), connect("reservation", ReservationService)];
  const [payments, stats] = [connect("payment", PaymentService), connect("stats", StatsService)];
  const { event } = await catalog.createEvent({
    event: {
      name: "An evening that is called off",
      venue: "The hall",
      startsAt: timestampFromMs(Date.now() + 86_400_000),
      timeZone: "Europe/Berlin",
      ticketTypes: [{ name: "Seat", price: { currencyCode: "EUR", minorUnits: 4905n }, quantity: 100 }],
    },
  });
  const eventId = event?.eventId ?? "";
  await catalog.publishEvent({ eventId });
  const ticketTypeId = event?.ticketTypes[0]?.ticketTypeId ?? "";
  const buy = async (token: string) => {
    const items = [{ ticketTypeId, quantity: 1 }];
    await expect
      .poll(() => sale.getAvailability({ eventId }).catch(() => undefined), { timeout: 10_000 })
      .toBeDefined();
    const { reservation } = await sale.reserve({ eventId, items });
    const { payment } = await payments.payReservation({
      reservationId: reservation?.reservationId ?? "",
      token,
    });
    return payment ?? expect.fail("there is no payment");
  };
  const [first, unknown] = [await buy("ok"), await buy("hang-charged")];
  for (const token of ["ok", "ok/reset", "ok/fail-charged"]) await buy(token);

  const listed = await op("payments");
  expect(listed.stdout).toMatch(/^PAYMENT +STATE +AMOUNT +BEGUN +EVENT +WHY\n/);
  expect(listed.stdout.split("\n")).toHaveLength(3);
  expect(listed.stdout).toContain(`${unknown.paymentId}  unknown  49.05 EUR`);
  expect(await op("resolve", unknown.paymentId, "charged", "--reason", "it is in their books")).toMatchObject(
    {
      status: 0,
      stdout: expect.stringContaining(`${unknown.paymentId}: succeeded`),
    },
  );
  expect((await op("payments")).stdout).toBe("Every payment is settled.\n");
  expect(await op("resolve", unknown.paymentId, "failed", "--reason", "no")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("PAYMENT_NOT_UNKNOWN"),
  });

  expect((await op("refund", first.paymentId, "--reason", "fell ill", "--keep-off-sale")).stdout).toContain(
    `${first.paymentId}: refunded`,
  );
  const { ticketTypes } = await sale.getAvailability({ eventId });
  expect([ticketTypes[0]?.quantity, ticketTypes[0]?.available]).toEqual([99, 95]);
  expect((await op("payments", "show", first.paymentId)).stdout).toContain("refunded");

  const early = await op("refund", "--event", eventId, "--reason", "called off");
  expect([early.status, early.stderr]).toEqual([1, expect.stringContaining("not cancelled")]);
  expect((await op("refund", "--reason", "called off")).stderr).toContain("Name one payment, or an event");
  await catalog.cancelEvent({ eventId });
  const all = await op("refund", "--event", eventId, "--reason", "called off");
  expect([all.status, all.stdout]).toEqual([0, "5 payments of this event are refunded.\n"]);
  expect(all.stderr).toContain("An evening that is called off: 4 payments to give back");
  const again = await op("refund", "--event", eventId, "--reason", "called off", "--json");
  expect([again.status, JSON.parse(again.stdout).refunded]).toEqual([0, 5]);

  const entries = readLedger(ledgerFile);
  const keysOf = (kind: string) => entries.filter((each) => each.kind === kind).map(({ key }) => key);
  expect(keysOf("charge").sort()).toEqual([...new Set(keysOf("refund"))].sort());
  expect(entries).toHaveLength(10);
  const { reservations } = await sale.listReservations({ eventId });
  expect(new Set(reservations.map(({ state }) => state))).toEqual(new Set([ReservationState.CANCELLED]));
  const total = async () => {
    const { eventStats } = await stats.getEventStats({ eventId });
    const { paid, refunded, cancelled, revenue } = eventStats ?? {};
    return [paid, refunded, cancelled, revenue?.minorUnits].map(String);
  };
  await expect.poll(total, { timeout: 20_000 }).toEqual(["0", "5", "5", "0"]);
});
