import { ChangeBatchSchema, type PaymentChange } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { LedgerService } from "@boxoffice/proto/boxoffice/payment/v1/ledger_pb.ts";
import { fromBinary } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ledgerService } from "../rpc/ledger-service.ts";
import { type BoxOffice, newId, openBoxOffice, type Replica } from "./harness.ts";
import { refusal } from "./sales.ts";

let office: BoxOffice;
let replica: Replica;

beforeAll(async () => {
  office = await openBoxOffice();
  replica = await office.start();
  const pay = (token: string, reservationId = office.sales.hold()) =>
    replica.buyer.payReservation({ reservationId, token }).catch(() => undefined);
  for (const token of ["tok", "card_error", "payment_error", "break"]) await pay(token);
  office.sales.fail("begin", refusal("RESERVATION_EXPIRED"));
  await pay("never began in its reservation, so that no event is known");
});

afterAll(() => office.end());

async function exported(eventId = ""): Promise<PaymentChange[]> {
  const { impl } = ledgerService({ database: replica.ledger.database });
  const client = createClient(
    LedgerService,
    createRouterTransport(({ service }) => service(LedgerService, impl as never)),
  );
  const payments: PaymentChange[] = [];
  for await (const { batches } of client.export({ eventId })) {
    for (const { changes } of batches) {
      payments.push(...changes.flatMap(({ change }) => (change.case === "payment" ? change.value : [])));
    }
  }
  return payments;
}

/** The newest change of each payment that was written to the outbox. */
async function announced(): Promise<Map<string, PaymentChange>> {
  const rows = await office.owner.query<{ payload: Buffer }>({ text: "select payload from payment.outbox" });
  const changes = rows
    .flatMap(({ payload }) => fromBinary(ChangeBatchSchema, payload).changes)
    .flatMap(({ change }) => (change.case === "payment" ? change.value : []))
    .sort((a, b) => Number(a.version - b.version));
  return new Map(changes.map((change) => [change.paymentId, change]));
}

test("every payment that has an event is exported once, as it was announced last", async () => {
  const payments = await exported();
  expect(payments.length).toBe(4);
  expect(new Map(payments.map((payment) => [payment.paymentId, payment]))).toEqual(await announced());
});

test("of an event that there is not, none", async () => {
  expect(await exported(newId())).toEqual([]);
});
