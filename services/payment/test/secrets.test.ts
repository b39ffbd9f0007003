import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PaymentOutcome, PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readHmacKey } from "../hmac-key.ts";
import { type BoxOffice, openBoxOffice, type Replica } from "./harness.ts";
import { refusal } from "./sales.ts";

let office: BoxOffice;

beforeAll(async () => {
  office = await openBoxOffice();
});

afterAll(() => office.end());

/** Tokens whose charges end in every way there is; the last two are not the sandbox's. */
const TOKENS = ["tok_4242_secret", "card_error", "payment_error", "break", "charge and break", "hang"];

test("no token is in the database, in the log or in an error, and no reservation id in log or events", async () => {
  const replica = await office.start({ providerTimeoutMs: 200 });
  const reservationIds: string[] = [];
  const told: unknown[] = [];
  const pay = async (token: string) => {
    const reservationId = office.sales.hold();
    reservationIds.push(reservationId);
    const call = replica.buyer.payReservation({ reservationId, token });
    told.push(await call.catch((error: unknown) => error));
  };
  for (const token of TOKENS) await pay(token);
  office.sales.fail("confirm", refusal("RESERVATION_EXPIRED"));
  await pay("tok_4242_secret");
  office.sales.fail("abort", refusal("RESERVATION_ALREADY_PAID"));
  await pay("card_error");
  await settleAll(replica);

  const database = await dump();
  expect(database).toContain(reservationIds[0]); // it does look into the rows
  const log = office.logged.join("\n");
  expect(log).toContain("the outcome of a charge is unknown");
  expect(log).toContain("money was not given back yet");
  for (const token of TOKENS.filter((each) => each !== "hang")) {
    expect(database).not.toContain(token);
    expect(database).not.toContain(Buffer.from(token).toString("hex"));
    expect(log).not.toContain(token);
    expect(JSON.stringify(told.map((each) => (each instanceof Error ? each.message : "")))).not.toContain(
      token,
    );
  }
  const events = await office.owner.query<{ text: string }>({
    text: "select encode(payload, 'escape') as text from payment.outbox",
  });
  for (const reservationId of reservationIds) {
    expect(log).not.toContain(reservationId);
    for (const { text } of events) expect(text).not.toContain(reservationId);
  }
});

/** Operators settle what is open and give back what was paid, of which some goes wrong on its way. */
async function settleAll(replica: Replica): Promise<void> {
  const { UNKNOWN, SUCCEEDED } = PaymentState;
  const reason = "settled in a test";
  const { payments } = await replica.operator.listPayments({ states: [UNKNOWN, SUCCEEDED] });
  expect(payments.length).toBeGreaterThan(3);
  for (const [n, { paymentId, state }] of payments.entries()) {
    office.bank.refundFaults.push("away", "lost", "not sent");
    const outcome = n % 2 ? PaymentOutcome.CHARGED : PaymentOutcome.FAILED;
    if (state === UNKNOWN) await replica.operator.resolvePayment({ paymentId, outcome, reason });
    await replica.operator.refundPayment({ paymentId, reason }).catch(() => {});
    await replica.complete();
  }
}

/** Every column of every table of the schema, as text; bytea in hex. */
async function dump(): Promise<string> {
  const tables = await office.owner.query<{ name: string }>({
    text: "select table_name as name from information_schema.tables where table_schema = 'payment'",
  });
  const rows = await Promise.all(
    tables.map(({ name }) =>
      office.owner.query<{ row: unknown }>({ text: `select to_jsonb(t) as row from payment.${name} t` }),
    ),
  );
  return JSON.stringify(rows);
}

test("the key comes from the setting, or from the private key, and tells replicas of the same key apart from others", () => {
  const [one, other] = [join(office.folder, "one.key"), join(office.folder, "other.key")];
  writeFileSync(one, "a private key");
  writeFileSync(other, "another private key");
  const keyOf = (secret: string | undefined, file: string) => readHmacKey(secret, file).export();
  expect(keyOf(undefined, one)).toEqual(keyOf(undefined, one));
  expect(keyOf(undefined, one)).not.toEqual(keyOf(undefined, other));
  expect(keyOf("secret", one)).toEqual(keyOf("secret", other));
  expect(keyOf("secret", one)).not.toEqual(keyOf(undefined, one));
  expect(keyOf("secret", one)).toHaveLength(32);
});
