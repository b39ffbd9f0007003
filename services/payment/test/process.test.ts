import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { createGrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import { PaymentService, PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type BoxOffice, openBoxOffice, reasonOf } from "./harness.ts";

let office: BoxOffice;

beforeAll(async () => {
  office = await openBoxOffice();
});

afterAll(() => office.end());

function run(env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "..", "main.ts")], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      PAYMENT_DATABASE_URL: office.url,
      PAYMENT_PORT: "0",
      PAYMENT_ADMIN_PORT: "0",
      RESERVATION_ADDRESS: office.reservationAddress,
      LOG_LEVEL: "trace",
      NATS_URL: inject("natsUrl"),
      JWKS_FILE: join(office.folder, "jwks.json"),
      PRIVATE_KEY_FILE: join(office.folder, "payment.key"),
      ...env,
    },
  });
  const output = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.err += text;
  });
  return { child, output };
}

test("the process takes payments, completes what was left, and drains on SIGTERM", {
  timeout: 90_000,
}, async () => {
  const { child, output } = run();
  const serving = () =>
    output.out
      .split("\n")
      .slice(0, -1)
      .map((line): { msg: string; port: number; adminPort: number } => JSON.parse(line))
      .find(({ msg }) => msg === "serving");
  await expect.poll(serving, { timeout: 45_000 }).toBeDefined();
  const { port = 0, adminPort = 0 } = serving() ?? {};
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${adminPort}${path}`)).status;
  await expect.poll(() => ask("/readyz"), { timeout: 5_000 }).toBe(200);

  const transport = createGrpcTransport(`127.0.0.1:${port}`, { defaultTimeoutMs: 10_000 });
  const buyer = createRpcClient(PaymentService, transport);
  const reservationId = office.sales.hold();
  expect(await reasonOf(buyer.payReservation({ reservationId, token: "card_error" }))).toBe("CARD_DECLINED");
  office.sales.fail("confirm", "away", "away", "away");
  const { payment } = await buyer.payReservation({ reservationId, token: "tok_secret" });
  expect(payment?.state).toBe(PaymentState.PROCESSING);
  const { paymentId = "" } = payment ?? {};
  const state = async () => (await buyer.getPayment({ paymentId })).payment?.state;
  await expect.poll(state, { timeout: 10_000 }).toBe(PaymentState.SUCCEEDED);
  transport.close();

  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
  expect(output.out + output.err).not.toMatch(/tok_secret|card_error/);
});

test("a wrong setting names itself", { timeout: 60_000 }, async () => {
  const { child, output } = run({ TOKEN_HMAC_KEY: "short-secret", PROVIDER_TIMEOUT_MS: "soon" });
  expect(await once(child, "exit")).toEqual([2, null]);
  expect(output.err).toMatch(/PROVIDER_TIMEOUT_MS must be a whole number/);
  expect(output.err).toMatch(/TOKEN_HMAC_KEY must have at least 32 characters/);
  expect(output.err).not.toContain("short-secret");
});
