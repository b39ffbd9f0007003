import { gzipSync } from "node:zlib";
import { CreateEventRequestSchema } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AVAILABILITY, EVENT_ID, RESERVE, refusalOf, startGateway, type TestGateway } from "./harness.ts";

const MAX_BYTES = 64 * 1024;
const CREATE = "boxoffice.catalog.v1.CatalogService/CreateEvent";
const PROTO = { "content-type": "application/proto" };

let gateway: TestGateway;
let timeLeftMs: number | undefined;

beforeAll(async () => {
  gateway = await startGateway({
    reservation: {
      getAvailability: (_, context) => {
        timeLeftMs = context.timeoutMs();
        return { eventId: EVENT_ID };
      },
    },
  });
});

afterAll(() => gateway[Symbol.asyncDispose]());

/** Whatever was sent, the next buyer is served. */
async function expectAlive(): Promise<void> {
  expect((await gateway.post(AVAILABILITY, { eventId: EVENT_ID })).status).toBe(200);
}

const INVALID = { status: 400, code: "invalid_argument", reason: "INVALID_REQUEST" };

describe("a message that is malformed names the field where there is one", () => {
  const cases: [what: string, method: string, message: string, field: string][] = [
    ["no JSON", RESERVE, "{", ""],
    ["nothing at all", RESERVE, "", ""],
    ["a list", RESERVE, "[]", ""],
    ["a fractional quantity", RESERVE, '{"items":[{"quantity":1},{"quantity":1.5}]}', "items[1].quantity"],
    ["a huge quantity", RESERVE, '{"items":[{"quantity":99999999999}]}', "items[0].quantity"],
    ["a quantity in words", RESERVE, '{"items":[{"quantity":"two"}]}', "items[0].quantity"],
    ["an object for a list", RESERVE, '{"items":{}}', "items"],
    ["a number for a text", RESERVE, '{"eventId":5}', "event_id"],
    ["a proto name", RESERVE, '{"event_id":5}', "event_id"],
    ["a text for a message", CREATE, '{"event":"concert"}', "event"],
    ["no time", CREATE, '{"event":{"startsAt":"tomorrow"}}', "event.starts_at"],
    [
      "no amount",
      CREATE,
      '{"event":{"ticketTypes":[{"price":{"minorUnits":"x"}}]}}',
      "event.ticket_types[0].price.minor_units",
    ],
    ["deep nesting", RESERVE, "[".repeat(MAX_BYTES), ""],
    ["deep nesting of objects", RESERVE, '{"items":'.repeat(6000), ""],
  ];
  test.each(cases)("%s", async (_, method, message, field) => {
    expect(await refusalOf(await gateway.post(method, message))).toEqual({ ...INVALID, field });
    await expectAlive();
  });

  test.each([
    ["a cut message", new Uint8Array([0x0a, 5, 1])],
    ["an endless varint", new Uint8Array(20).fill(0xff)],
    ["deep groups", new Uint8Array(MAX_BYTES).fill(0x7b)],
    ["no UTF-8", new Uint8Array([0x0a, 2, 0xff, 0xfe])],
  ])("binary: %s", async (_, message) => {
    expect(await refusalOf(await gateway.post(RESERVE, message, PROTO))).toEqual({ ...INVALID, field: "" });
    await expectAlive();
  });

  test("by GET", async () => {
    for (const query of [
      "encoding=json&message=%7B",
      "encoding=proto&base64=1&message=!!!",
      "encoding=json",
    ]) {
      const response = await fetch(`${gateway.url}/${AVAILABILITY}?${query}`);
      expect(await refusalOf(response)).toMatchObject({ status: 400, reason: "INVALID_REQUEST" });
      expect(response.headers.get("cache-control")).toBe("no-store");
    }
    const wrongType = await fetch(
      `${gateway.url}/${AVAILABILITY}?encoding=json&message=%7B%22eventId%22%3A5%7D`,
    );
    expect(await refusalOf(wrongType)).toMatchObject({ status: 400, field: "event_id" });
  });
});

describe("a request that is too large", () => {
  const padded = (bytes: number) => {
    const empty = JSON.stringify({ eventId: EVENT_ID, padding: "" }).length;
    return JSON.stringify({ eventId: EVENT_ID, padding: "x".repeat(bytes - empty) });
  };

  test("64 KiB are read, one byte more is not", async () => {
    expect((await gateway.post(AVAILABILITY, padded(MAX_BYTES))).status).toBe(200);
    expect(await refusalOf(await gateway.post(AVAILABILITY, padded(MAX_BYTES + 1)))).toEqual({
      ...INVALID,
      field: "",
    });
    await expectAlive();
  });

  test("without a length, it is refused as soon as there is too much of it", async () => {
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += MAX_BYTES;
        if (sent > 200 * 1024 * 1024) controller.close();
        else controller.enqueue(new Uint8Array(MAX_BYTES));
      },
    });
    const response = await fetch(`${gateway.url}/${AVAILABILITY}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      duplex: "half",
    } as RequestInit);
    expect(await refusalOf(response)).toEqual({ ...INVALID, field: "" });
    expect(sent).toBeLessThan(200 * 1024 * 1024);
    await expectAlive();
  });

  test("a small message that would unpack to a large one", async () => {
    const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024, " "));
    expect(bomb.length).toBeLessThan(MAX_BYTES);
    const response = await gateway.post(AVAILABILITY, bomb, { "content-encoding": "gzip" });
    expect(await refusalOf(response)).toEqual({ ...INVALID, field: "" });
    await expectAlive();
  });

  test("compressed and small is fine, compressed and broken is not", async () => {
    const good = gzipSync(JSON.stringify({ eventId: EVENT_ID }));
    const encoding = { "content-encoding": "gzip" };
    expect((await gateway.post(AVAILABILITY, good, encoding)).status).toBe(200);
    for (const [message, headers] of [
      [good.subarray(0, 12), encoding],
      [Buffer.from("not gzip"), encoding],
      [good, { "content-encoding": "rot13" }],
    ] as const) {
      expect(await refusalOf(await gateway.post(AVAILABILITY, message, headers))).toEqual({
        ...INVALID,
        field: "",
      });
    }
  });
});

test.each([
  ["a form", RESERVE, "POST", "application/x-www-form-urlencoded", 415, null],
  ["a text", RESERVE, "POST", "text/plain", 415, null],
  ["GET of what changes something", RESERVE, "GET", "", 405, "POST"],
  ["DELETE", AVAILABILITY, "DELETE", "", 405, "POST, GET"],
] as const)("%s is refused in words", async (_, method, httpMethod, type, status, allow) => {
  const headers: Record<string, string> = type === "" ? {} : { "content-type": type };
  const body = httpMethod === "POST" ? "{}" : null;
  const response = await fetch(`${gateway.url}/${method}`, { method: httpMethod, headers, body });
  expect(response.headers.get("allow")).toBe(allow);
  expect(await refusalOf(response)).toEqual({ ...INVALID, status, field: "" });
});

describe("a client's timeout", () => {
  test.each([
    [undefined, 10_000],
    ["2000", 2000],
    ["30000", 30_000],
    ["2147483648", 30_000],
    ["9999999999", 30_000],
  ])("%s lets the service work for %d ms", async (timeout, expected) => {
    const headers = timeout === undefined ? {} : { "connect-timeout-ms": timeout };
    expect((await gateway.post(AVAILABILITY, { eventId: EVENT_ID }, headers)).status).toBe(200);
    expect(timeLeftMs).toBeGreaterThan(expected - 500);
    expect(timeLeftMs).toBeLessThanOrEqual(expected);
  });

  test("0 is over at once", async () => {
    const response = await gateway.post(AVAILABILITY, { eventId: EVENT_ID }, { "connect-timeout-ms": "0" });
    expect([response.status, (await response.json()).code]).toEqual([504, "deadline_exceeded"]);
  });

  test.each(["-1", "10000000000", "soon", "1.5"])("%s is none", async (timeout) => {
    const response = await gateway.post(
      AVAILABILITY,
      { eventId: EVENT_ID },
      { "connect-timeout-ms": timeout },
    );
    expect(await refusalOf(response)).toEqual({ ...INVALID, field: "" });
  });
});

describe("what HTTP calls a request", () => {
  const get = (path: string, host: string) => `GET ${path} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`;
  test.each([
    ["a host that is none", get(`/${AVAILABILITY}`, "Host: [\r\n")],
    ["a host with a path", get(`/${AVAILABILITY}`, "Host: a/b\r\n")],
    ["an empty host", get(`/${AVAILABILITY}`, "Host:\r\n")],
    ["no host", get(`/${AVAILABILITY}`, "")],
    ["HTTP/1.0 without a host", `POST /${AVAILABILITY} HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}`],
    ["a path that is none", get("//[", "Host: a\r\n")],
    [
      "two lengths",
      `POST /${RESERVE} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
    ],
    ["a length below zero", `POST /${RESERVE} HTTP/1.1\r\nHost: a\r\nContent-Length: -2\r\n\r\n{}`],
    ["no HTTP", "hello\r\n\r\n"],
  ])("%s gets 400", async (_, text) => {
    expect(await gateway.raw(text)).toMatch(/^HTTP\/1.1 400 /);
    await expectAlive();
  });

  test("a flood of headers gets 431", async () => {
    const flood = Array.from({ length: 400 }, (_, index) => `X-${index}: ${"x".repeat(100)}\r\n`).join("");
    expect(await gateway.raw(`GET / HTTP/1.1\r\nHost: a\r\n${flood}\r\n`)).toMatch(/^HTTP\/1.1 431 /);
    await expectAlive();
  });

  test("a client that leaves in the middle is no fault", async () => {
    await gateway.raw(
      `POST /${RESERVE} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{`,
    );
    await expectAlive();
    // On a busy machine a service may be late to say that it is well.
    expect(gateway.logged.filter(({ msg }) => msg !== "a service does not answer")).toEqual([]);
  });
});

test("binary requests work at the same limit", async () => {
  const message = toBinary(
    CreateEventRequestSchema,
    create(CreateEventRequestSchema, { event: { name: "x" } }),
  );
  const response = await gateway.post(CREATE, message, PROTO);
  expect(await refusalOf(response)).toMatchObject({ status: 401 });
});
