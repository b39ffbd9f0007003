import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ledger, readLedger } from "../../../test/provider/ledger.ts";
import { createSimulator } from "../../../test/provider/server.ts";
import { httpProvider } from "../provider/http.ts";
import { definiteFailure, NotSentError, type PaymentProvider } from "../provider/port.ts";
import { newId } from "./harness.ts";

const API_KEY = "key_of_the_box_office";

let folder: string;
let file: string;
let server: Server;
let url: string;
let provider: PaymentProvider;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "boxoffice-provider-"));
  file = join(folder, "ledger");
  server = createSimulator({ ledger: new Ledger(file), canLookUp: true, apiKey: API_KEY });
  url = `http://127.0.0.1:${await listen(server)}`;
  provider = httpProvider({ url, apiKey: API_KEY });
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

async function listen(on: {
  listen(port: number, host: string, done: () => void): unknown;
  address(): unknown;
}) {
  await new Promise<void>((resolve) => on.listen(0, "127.0.0.1", resolve));
  return (on.address() as { port: number }).port;
}

const charge = (token: string, { key = newId(), by = provider, limitMs = 5_000, currency = "EUR" } = {}) =>
  by.charge({ amount: 12_34n, currency, token, idempotencyKey: key, signal: AbortSignal.timeout(limitMs) });

const entriesOf = (key: string) =>
  readLedger(file)
    .filter((entry) => entry.key === key)
    .map(({ kind, amount }) => `${kind} ${amount}`);

const outcomeOf = (call: Promise<unknown>) =>
  call.then(
    () => "charged",
    (error: unknown) => definiteFailure(error) ?? "unknown",
  );

describe("a charge over HTTP", () => {
  test("that succeeds tells what was charged", async () => {
    const key = newId();
    expect(await charge("ok", { key })).toEqual({ amount: 12_34n, currency: "EUR" });
    expect(entriesOf(key)).toEqual(["charge 1234"]);
  });

  test.each([
    ["card_error", "EUR", "CARD_DECLINED", false],
    ["payment_error", "EUR", "PAYMENT_FAILED", false],
    ["ok", "USD", "CURRENCY_NOT_SUPPORTED", false],
    ["busy", "EUR", "DEPENDENCY_UNAVAILABLE", false],
    ["fail", "EUR", "unknown", false],
    ["fail-charged", "EUR", "unknown", true],
    ["reset", "EUR", "unknown", false],
    ["reset-charged", "EUR", "unknown", true],
    ["cut", "EUR", "unknown", true],
    ["hang", "EUR", "unknown", false],
    ["hang-charged", "EUR", "unknown", true],
    ["late-2000", "EUR", "unknown", false],
  ])("with %s in %s is %s", async (token, currency, outcome, isCharged) => {
    const key = newId();
    expect(await outcomeOf(charge(token, { key, currency, limitMs: 500 }))).toBe(outcome);
    expect(entriesOf(key)).toHaveLength(isCharged ? 1 : 0);
  });

  test("of another amount is told as it was made", async () => {
    expect(await charge("less")).toEqual({ amount: 12_33n, currency: "EUR" });
  });

  test("with a key that is not known there is turned away", async () => {
    expect(await outcomeOf(charge("ok", { by: httpProvider({ url, apiKey: "wrong" }) }))).toBe(
      "DEPENDENCY_UNAVAILABLE",
    );
  });

  test.each([
    ["is no JSON", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"],
    ["is empty", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["is not done yet", 'HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n{"status":"processing"}'],
    ["leads elsewhere", "HTTP/1.1 307 Moved\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"],
    ["refuses without a known type", "HTTP/1.1 402 Payment Required\r\ncontent-length: 2\r\n\r\n{}"],
    ["is of no known kind", 'HTTP/1.1 402 No\r\ncontent-length: 32\r\n\r\n{"error":{"type":"constructor" }}'],
    ["is endless", `HTTP/1.1 200 OK\r\n\r\n${"x".repeat(100_000)}`],
    ["is no HTTP", "SSH-2.0-OpenSSH_9\r\n"],
  ])("whose answer %s is unknown", async (_, text) => {
    const odd = createServer(
      (socket) => void socket.on("error", () => {}).once("data", () => socket.write(text)),
    );
    const by = httpProvider({ url: `http://127.0.0.1:${await listen(odd)}` });
    expect(await outcomeOf(charge("ok", { by, limitMs: 1_000 }))).toBe("unknown");
    odd.close();
  });
});

describe("what fails before the first byte is definite", () => {
  test("nobody listens", async () => {
    const gone = createServer();
    const port = await listen(gone);
    await new Promise((resolve) => gone.close(resolve));
    await expect(charge("ok", { by: httpProvider({ url: `http://127.0.0.1:${port}` }) })).rejects.toThrow(
      NotSentError,
    );
  });

  test("there is no such host", async () => {
    await expect(charge("ok", { by: httpProvider({ url: "http://provider.invalid" }) })).rejects.toThrow(
      NotSentError,
    );
  });

  test("the caller gives up before there is a connection", async () => {
    const request = { amount: 1n, currency: "EUR", token: "ok", idempotencyKey: newId() };
    const given = new AbortController();
    const call = provider.charge({ ...request, signal: given.signal });
    given.abort();
    await expect(call).rejects.toThrow(NotSentError);
    expect(entriesOf(request.idempotencyKey)).toEqual([]);
  });

  test("the other side cannot speak TLS: what it has seen is no request", async () => {
    const seen: Buffer[] = [];
    const plain = createServer((socket) => {
      socket
        .on("error", () => {})
        .on("data", (chunk) => {
          seen.push(chunk);
          socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
        });
    });
    const by = httpProvider({ url: `https://127.0.0.1:${await listen(plain)}` });
    await expect(charge("tok_secret", { by })).rejects.toThrow(NotSentError);
    expect(Buffer.concat(seen).toString("latin1")).not.toContain("tok_secret");
    plain.close();
  });

  test("the other side has no certificate", async () => {
    const bare = createTlsServer({}, (socket) => socket.end()).on("tlsClientError", () => {});
    const by = httpProvider({ url: `https://127.0.0.1:${await listen(bare)}` });
    await expect(charge("ok", { by })).rejects.toThrow(NotSentError);
    bare.close();
  });

  test("after it, on a connection that was kept and is closed meanwhile, nothing is certain", async () => {
    let requests = 0;
    const closing = createServer((socket) => {
      socket
        .on("error", () => {})
        .on("data", () => {
          const body = '{"status":"succeeded","amount":1234,"currency":"EUR"}';
          if (++requests > 1) socket.destroy();
          else socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
        });
    });
    const by = httpProvider({ url: `http://127.0.0.1:${await listen(closing)}` });
    expect(await outcomeOf(charge("ok", { by }))).toBe("charged");
    expect(await outcomeOf(charge("ok", { by }))).toBe("unknown");
    expect(requests).toBe(2); // and it was not sent again
    closing.close();
  });
});

describe("afterwards", () => {
  const { signal } = new AbortController();

  test("it tells what became of a charge", async () => {
    const key = newId();
    expect(await provider.lookup?.(key, signal)).toBe("not_found");
    await charge("reset-charged", { key }).catch(() => {});
    expect(await provider.lookup?.(key, signal)).toBe("charged");
  });

  test("it gives the money back once", async () => {
    const key = newId();
    await charge("ok/reset-charged", { key });
    await expect(provider.refund?.(key, signal)).rejects.toThrow();
    await expect(provider.refund?.(key, signal)).rejects.toThrow();
    await provider.refund?.(key, signal);
    await provider.refund?.(key, signal);
    expect(entriesOf(key)).toEqual(["charge 1234", "refund 1234"]);
  });

  test("what was never charged cannot be given back", async () => {
    await expect(provider.refund?.(newId(), signal)).rejects.toThrow("the refund was refused");
  });
});
