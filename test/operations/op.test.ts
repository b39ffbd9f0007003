import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { createGrpcTransport, type GrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { reach } from "../../local/services.ts";
import { runCommand } from "../../packages/op/program.ts";
import { type BoxOffice, startBoxOffice } from "../support/box-office.ts";

const UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057";

let box: BoxOffice;
let transport: GrpcTransport;
let catalog: Client<typeof CatalogService>;

beforeAll(async () => {
  box = await startBoxOffice();
  transport = createGrpcTransport(reach(box.stack.config, "catalog"), {
    defaultTimeoutMs: 20_000,
    bearer: () => box.operatorToken,
  });
  catalog = createRpcClient(CatalogService, transport);
}, 90_000);

afterAll(async () => {
  transport?.close();
  await box?.end();
}, 60_000);

async function op(args: string[], env: Record<string, string> = {}) {
  const ended = { stdout: "", stderr: "", status: 0 };
  await runCommand(args, {
    env: { ...box.env, ...env },
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
  ["a wrong id", ["recount", "x"], {}, 1, "An id looks like"],
])("%s is an error with its reason and an exit code", async (_, args, env, code, message) => {
  const { status, stderr, stdout } = await op(args, env);
  expect([status, stdout]).toEqual([code, ""]);
  expect(stderr).toContain(message);
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
