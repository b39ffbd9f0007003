import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { createGrpcTransport, type GrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { reach } from "../../local/services.ts";
import { EXAMPLE } from "../../packages/op/event-file.ts";
import { run } from "../../packages/op/test/run.ts";
import { type BoxOffice, startBoxOffice } from "../support/box-office.ts";

const UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057";

let box: BoxOffice;
let transport: GrpcTransport;
let reservationTransport: GrpcTransport;
let catalog: Client<typeof CatalogService>;

beforeAll(async () => {
  box = await startBoxOffice();
  transport = createGrpcTransport(reach(box.stack.config, "catalog"), {
    defaultTimeoutMs: 20_000,
    bearer: () => box.operatorToken,
  });
  reservationTransport = createGrpcTransport(reach(box.stack.config, "reservation"), {
    defaultTimeoutMs: 20_000,
  });
  catalog = createRpcClient(CatalogService, transport);
}, 90_000);

afterAll(async () => {
  transport?.close();
  reservationTransport?.close();
  await box?.end();
}, 60_000);

const op = (args: string[], env: Record<string, string> = {}) => run(args, { ...box.env, ...env });

async function publish(name: string): Promise<string> {
  const { event } = await catalog.createEvent({
    event: {
      name,
      venue: "The hall",
      startsAt: timestampFromMs(Date.now() + 86_400_000),
      timeZone: "Europe/Berlin",
      ticketTypes: [{ name: "Seat", price: { currencyCode: "EUR", minorUnits: 4905n }, quantity: 100 }],
    },
  });
  const eventId = event?.eventId ?? "";
  await catalog.publishEvent({ eventId });
  return eventId;
}

test("lists events and shows one, for people and for programs", async () => {
  const eventId = await publish("An evening to list");
  const list = await op(["events", "list", "--query", "to list"]);
  expect(list).toMatchObject({ status: 0, stderr: "" });
  expect(list.stdout).toMatch(
    /^EVENT +STATE +STARTS +TICKETS +NAME\n.*published.* 100 +An evening to list\n$/,
  );
  expect((await op(["events", "show", eventId])).stdout).toContain("49.05 EUR");
  const { events } = JSON.parse((await op(["events", "list", "--state", "published", "--json"])).stdout);
  expect(events).toContainEqual(expect.objectContaining({ eventId, state: "EVENT_STATE_PUBLISHED" }));
  expect(JSON.parse((await op(["events", "list", "--state", "draft", "--json"])).stdout).events).toEqual([]);
});

test("verifies the statistics, ends with 2 where they are wrong, and makes them anew", async () => {
  const eventId = await publish("An evening to verify");
  await expect
    .poll(async () => (await op(["stats", "event", eventId])).stdout, { timeout: 30_000 })
    .toContain("An evening to verify");
  expect(await op(["stats", "verify"])).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("The statistics are right"),
  });
  await asOwner("update stats.ticket_types set quantity = quantity + 7 where event_id = $1", eventId);
  const wrong = await op(["stats", "verify"]);
  expect(wrong.status).toBe(2);
  expect(wrong.stdout).toMatch(/ticket type .*quantity +107 +100\n/);
  const rebuilt = await op(["stats", "rebuild", "--json"]);
  expect(JSON.parse(rebuilt.stdout)).toMatchObject({ state: "STATS_TASK_STATE_SUCCEEDED" });
  expect((await op(["stats", "verify"])).status).toBe(0);
}, 120_000);

test("recounts every event or one, and ends with 2 where the books are wrong", async () => {
  const eventId = await publish("An evening to count");
  expect(await op(["recount"])).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("The books are right"),
  });
  await asOwner(
    "update reservation.ticket_types set available = available - 3, held = held + 3 where event_id = $1",
    eventId,
  );
  for (const args of [["recount"], ["recount", eventId]]) {
    const { status, stdout } = await op(args);
    expect([status, stdout]).toEqual([
      2,
      expect.stringMatching(new RegExp(`${eventId} .*Seat +held +3 +0\n`)),
    ]);
  }
  const { status, stdout } = await op(["recount", eventId, "--json"]);
  expect([status, JSON.parse(stdout).consistent]).toEqual([2, false]);
  await asOwner(
    "update reservation.ticket_types set available = available + 3, held = held - 3 where event_id = $1",
    eventId,
  );
});

test.each([
  ["a refusal", ["events", "show", UNKNOWN], {}, 1, "EVENT_NOT_FOUND: There is no such event."],
  [
    "no good token",
    ["events", "list"],
    { BOXOFFICE_TOKEN: "nonsense" },
    1,
    "UNAUTHENTICATED: the token is not valid",
  ],
  [
    "nobody there",
    ["recount", UNKNOWN],
    { RESERVATION_ADDRESS: "127.0.0.1:1" },
    3,
    "Is the box office running",
  ],
  ["a wrong ticket type", ["quantity", UNKNOWN, "x", "1"], {}, 1, "EVENT_NOT_FOUND"],
  ["a missing file", ["events", "create", "/no/such/file"], {}, 1, "no such file"],
  ["a wrong id", ["recount", "x"], {}, 1, "An id looks like"],
])("%s is an error with its reason and an exit code", async (_, args, env, code, message) => {
  const { status, stderr, stdout } = await op(args, env);
  expect([status, stdout]).toEqual([code, ""]);
  expect(stderr).toContain(message);
});

test("a whole life of an event, and who did it and why", async () => {
  const file = join(box.folder, "event.yaml");
  writeFileSync(
    file,
    EXAMPLE.replaceAll("2027-", `${new Date().getUTCFullYear() + 1}-`).replace(/^.*sales_start.*$/m, ""),
  );
  const ok = async (...args: string[]) => {
    const { stdout, stderr, status } = await op([...args, "--json"]);
    expect([args, stderr, status]).toEqual([args, "", 0]);
    return JSON.parse(stdout);
  };
  const requestId = randomUUID();
  const { event } = await ok(
    "events",
    "create",
    file,
    "--request-id",
    requestId,
    "--reason",
    "the contract is signed",
  );
  const { eventId } = event;
  expect((await ok("events", "create", file, "--request-id", requestId)).event.eventId).toBe(eventId);
  await ok("publish", eventId);
  expect((await ok("quantity", eventId, "Standing", "2400")).event.ticketTypes[0].quantity).toBe(2400);
  const ticketTypeId = event.ticketTypes[0].ticketTypeId;
  const reservations = createRpcClient(ReservationService, reservationTransport);
  const { reservation } = await reservations.reserve({
    eventId,
    items: [{ ticketTypeId, quantity: 2 }],
    customer: { name: "Ada", email: "ada@example.org" },
  });
  const reservationId = reservation?.reservationId ?? "";
  await ok("pause", eventId, "--reason", "the plan is wrong");
  await ok("resume", eventId);
  expect((await ok("reservations", "list", "--email", "ADA@example.org")).reservations).toMatchObject([
    { reservationId, state: "RESERVATION_STATE_HELD" },
  ]);
  expect((await op(["reservations", "list", "--event", eventId, "--state", "held"])).stdout).toMatch(
    /held .* 2 Standing .* 98\.00 EUR .*Ada <ada@example\.org>/,
  );
  expect((await op(["reservations", "show", reservationId])).stdout).toContain("for Ada <ada@example.org>");
  await expect
    .poll(async () => (await op(["stats", "event", eventId])).stdout)
    .toMatch(/Standing +regular +2400 +2398 +2 /);
  expect((await op(["stats", "overview"])).stdout).toContain("Reservations: ");
  expect((await op(["stats", "events"])).stdout).toContain(eventId);
  expect((await op(["stats", "category", "regular"])).stdout).toMatch(/^NAME .*\nregular /);
  expect((await op(["stats", "categories"])).stdout).toMatch(/\nregular /);

  expect((await op(["cancel", eventId])).stdout).toContain("Nothing was done.");
  expect((await ok("cancel", eventId, "--yes", "--reason", "storm")).event.state).toBe(
    "EVENT_STATE_CANCELLED",
  );
  const { entries } = await ok("audit", "--event", eventId);
  const acts = entries.map((entry: Record<string, string>) => [entry.service, entry.action, entry.reason]);
  expect(acts).toEqual([
    ["catalog", "CancelEvent", "storm"],
    ["reservation", "ResumeSales", ""],
    ["reservation", "PauseSales", "the plan is wrong"],
    ["catalog", "UpdateTicketType", ""],
    ["catalog", "PublishEvent", ""],
    ["catalog", "CreateEvent", "the contract is signed"],
  ]);
  expect(new Set(entries.map((entry: { actor: string }) => entry.actor))).toEqual(
    new Set([userInfo().username]),
  );
  const { stdout } = await op(["audit", "--event", eventId, "--limit", "2"]);
  expect(stdout).toMatch(
    /CancelEvent .*state: PUBLISHED → CANCELLED .*storm\n.*ResumeSales.*\nThere are more/,
  );
  expect((await ok("audit", "--event", eventId, "--until", "2000-01-01")).entries).toEqual([]);
});

test("errors are JSON too", async () => {
  const { stderr, status } = await op(["events", "show", UNKNOWN, "--json"]);
  expect([JSON.parse(stderr).error.reason, status]).toEqual(["EVENT_NOT_FOUND", 1]);
});

async function asOwner(text: string, ...values: unknown[]): Promise<void> {
  const client = new pg.Client({ connectionString: box.database.ownerUrl });
  await client.connect();
  await client.query(text, values);
  await client.end();
}
