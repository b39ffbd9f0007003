import { request as httpRequest } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { describe, expect, test } from "vitest";
import { AVAILABILITY, EVENT_ID, refusalOf, startGateway, type TestGateway } from "./harness.ts";

const EVENT = "boxoffice.catalog.v1.CatalogService/GetEvent";
const query = (message: object) => `encoding=json&message=${encodeURIComponent(JSON.stringify(message))}`;
const urlOf = ({ url }: TestGateway, method = AVAILABILITY) =>
  `${url}/${method}?${query({ eventId: EVENT_ID })}`;

/** An event of which one ticket less is left whenever somebody asks. */
function counting({ types = 1, delayMs = 0 } = {}) {
  const sale = { asked: 0, left: 1_000 };
  const getAvailability = async () => {
    sale.asked++;
    await delay(delayMs);
    const ticketTypes = Array.from({ length: types }, () => ({ name: "Standing", available: sale.left }));
    return { eventId: EVENT_ID, ticketTypes };
  };
  return { sale, impls: { reservation: { getAvailability } } };
}

describe("an answer that everybody shares", () => {
  test("is asked for once, however many wait for it", async () => {
    const { sale, impls } = counting({ delayMs: 150 });
    await using gateway = await startGateway(impls);
    const startedAtMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(urlOf(gateway))));
    expect(new Set(await Promise.all(answers.map((answer) => answer.text()))).size).toBe(1);
    const refreshed = (performance.now() - startedAtMs) / 250; // where the machine is slow
    expect(sale.asked).toBeLessThan(5 + refreshed);
  });

  test("is asked for anew by age, without any news", async () => {
    const { sale, impls } = counting();
    await using gateway = await startGateway(impls);
    const left = async () => (await (await fetch(urlOf(gateway))).json()).ticketTypes[0].available;
    expect(await left()).toBe(1_000);
    sale.left = 7;
    await delay(260);
    expect(await left()).toBe(7);
  });

  test("is asked for anew at once when there is news", async () => {
    const { impls } = counting();
    await using gateway = await startGateway({
      ...impls,
      catalog: { getEvent: () => ({ event: { eventId: EVENT_ID, etag: String(++version) } }) },
    });
    let version = 0;
    const etag = async () => (await (await fetch(urlOf(gateway, EVENT))).json()).event.etag;
    expect([await etag(), await etag()]).toEqual(["1", "1"]);
    gateway.reads.invalidate("0198c1f0-0000-7000-8000-00000000ffff");
    expect(await etag()).toBe("1");
    gateway.reads.invalidate(EVENT_ID);
    expect(await etag()).toBe("2");
  });

  test("is not an operator's, and not what a POST gets", async () => {
    const { sale, impls } = counting();
    await using gateway = await startGateway(impls);
    const operator = await gateway.bearer("operator");
    for (const expected of [1, 2]) {
      const own = await fetch(urlOf(gateway), { headers: operator });
      expect([own.headers.get("cache-control"), own.headers.get("etag"), sale.asked]).toEqual([
        "no-store",
        null,
        expected,
      ]);
    }
    expect((await gateway.post(AVAILABILITY, { eventId: EVENT_ID })).headers.get("etag")).toBeNull();
    expect(sale.asked).toBe(3);
  });

  test("of a service that refuses, or is away, is no answer to keep", async () => {
    let asked = 0;
    await using gateway = await startGateway({
      reservation: {
        getAvailability: () => {
          if (++asked === 1) throw new BoxofficeError("EVENT_NOT_FOUND", "there is no such event");
          return {};
        },
      },
    });
    const refused = await fetch(urlOf(gateway));
    expect(refused.headers.get("cache-control")).toBe("no-store");
    expect(await refusalOf(refused)).toMatchObject({ status: 404, reason: "EVENT_NOT_FOUND" });
    expect((await fetch(urlOf(gateway))).status).toBe(200);
    await gateway.backend.close(0);
    await delay(260);
    expect(await refusalOf(await fetch(urlOf(gateway)))).toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE" });
  });

  test("keeps nobody longer than he has time", async () => {
    const { impls } = counting({ delayMs: 800 });
    await using gateway = await startGateway(impls);
    const [short, long] = await Promise.all([
      fetch(urlOf(gateway), { headers: { "connect-timeout-ms": "100" } }),
      fetch(urlOf(gateway)),
    ]);
    expect([short.status, long.status]).toEqual([504, 200]);
  });
});

describe("what a client has is not sent again", () => {
  test.each(["br", "gzip", "identity"])("in the encoding %s", async (encoding) => {
    const { sale, impls } = counting({ types: 20 });
    await using gateway = await startGateway(impls);
    const first = await raw(urlOf(gateway), { "accept-encoding": encoding });
    expect(first.headers["content-encoding"]).toBe(encoding === "identity" ? undefined : encoding);
    expect(first.headers.vary).toBe("Accept-Encoding");
    const unpack = { br: brotliDecompressSync, gzip: gunzipSync, identity: (bytes: Buffer) => bytes };
    const text = unpack[encoding as keyof typeof unpack](first.body).toString();
    expect(JSON.parse(text).ticketTypes.length).toBe(20);
    const { etag } = first.headers;
    const again = await raw(urlOf(gateway), { "accept-encoding": encoding, "if-none-match": etag ?? "" });
    expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, etag]);
    expect(again.headers["cache-control"]).toBe("public, max-age=1");
    await delay(260);
    const unchanged = await raw(urlOf(gateway), { "accept-encoding": encoding, "if-none-match": etag ?? "" });
    expect(unchanged.status).toBe(304);
    sale.left--;
    await delay(260);
    const changed = await raw(urlOf(gateway), { "accept-encoding": encoding, "if-none-match": etag ?? "" });
    expect([changed.status, changed.headers.etag === etag]).toEqual([200, false]);
    const other = encoding === "gzip" ? "br" : "gzip";
    const elsewhere = await raw(urlOf(gateway), {
      "accept-encoding": other,
      "if-none-match": changed.headers.etag ?? "",
    });
    expect(elsewhere.status).toBe(200);
  });
});

test("HEAD says what GET would", async () => {
  const { impls } = counting();
  await using gateway = await startGateway(impls);
  const head = await fetch(urlOf(gateway), { method: "HEAD" });
  expect([head.status, Number(head.headers.get("content-length")) > 10, await head.text()]).toEqual([
    200,
    true,
    "",
  ]);
});

type Received = { status: number | undefined; headers: Record<string, string | undefined>; body: Buffer };

/** Without fetch's own unpacking. */
async function raw(url: string, headers: Record<string, string>): Promise<Received> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const received = response.headers as Record<string, string | undefined>;
      resolve({ status: response.statusCode, headers: received, body: Buffer.concat(chunks) });
    });
    request.on("error", reject).end();
  });
}
