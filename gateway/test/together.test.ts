import { setTimeout as delay } from "node:timers/promises";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { callerOf } from "@boxoffice/platform/rpc/access.ts";
import { toStatus } from "@boxoffice/platform/rpc/status.ts";
import {
  type ReserveRequest,
  ReserveRequestSchema,
  ReserveResponseSchema,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import type {
  ReserveManyItem,
  ReserveManyRequest,
} from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { EVENT_ID, RESERVE, refusalOf, startGateway } from "./harness.ts";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const wish = (quantity: number) => ({ eventId: EVENT_ID, items: [{ ticketTypeId: EVENT_ID, quantity }] });

/** A sale whose calls wait until they are let go, and which has sold out of odd numbers. */
function slowSale() {
  const batches: ReserveManyItem[][] = [];
  const callers: unknown[] = [];
  const alone: ReserveRequest[] = [];
  let open = Promise.withResolvers<void>();
  return {
    batches,
    callers,
    alone,
    letGo: () => open.resolve(),
    hold: () => {
      open = Promise.withResolvers<void>();
    },
    impls: {
      reservation: {
        reserve: (request: ReserveRequest) => {
          alone.push(request);
          return {};
        },
      },
      sales: {
        reserveMany: async ({ items }: ReserveManyRequest, context: Parameters<typeof callerOf>[0]) => {
          batches.push(items);
          callers.push(callerOf(context));
          await open.promise;
          const results = items.map(({ request }) => {
            const quantity = request?.items[0]?.quantity ?? 0;
            if (quantity % 2 === 0) {
              const value = { eventId: EVENT_ID, reservationId: `r${quantity}` };
              return { outcome: { case: "reservation" as const, value } };
            }
            const error = new BoxofficeError("SOLD_OUT", "sold out", { metadata: { available: quantity } });
            return { outcome: { case: "error" as const, value: toStatus(error) } };
          });
          return { results };
        },
      },
    },
  };
}

test("what arrives while others are under way goes on together, and each gets its own result", async () => {
  const sale = slowSale();
  await using gateway = await startGateway(sale.impls);
  const first = [gateway.post(RESERVE, wish(2))];
  await expect.poll(() => sale.batches.length).toBe(1);
  first.push(gateway.post(RESERVE, wish(4)));
  await expect.poll(() => sale.batches.length).toBe(2);
  const others = Array.from({ length: 20 }, (_, index) => gateway.post(RESERVE, wish(index + 1)));
  await delay(500);
  expect(sale.batches.length).toBe(2);
  sale.letGo();
  for (const [index, response] of (await Promise.all(others)).entries()) {
    if (index % 2 === 1) {
      expect([index, (await response.json()).reservation.reservationId]).toEqual([index, `r${index + 1}`]);
    } else expect(await refusalOf(response)).toMatchObject({ status: 400, reason: "SOLD_OUT" });
  }
  for (const response of await Promise.all(first)) expect(response.status).toBe(200);
  expect(Math.max(...sale.batches.map(({ length }) => length))).toBeGreaterThan(1);
  expect(sale.callers[0]).toEqual({ kind: "service", service: "gateway" });
});

test("a request that cannot be read is answered at once and goes nowhere", async () => {
  const sale = slowSale();
  await using gateway = await startGateway(sale.impls);
  const good = gateway.post(RESERVE, wish(2));
  await expect.poll(() => sale.batches.length).toBe(1);
  expect(await refusalOf(await gateway.post(RESERVE, '{"items":[{"quantity":"x"}]}'))).toMatchObject({
    status: 400,
    field: "items[0].quantity",
  });
  const binary = { "content-type": "application/proto" };
  expect((await gateway.post(RESERVE, new Uint8Array([0x0a, 2, 0xff, 0xfe]), binary)).status).toBe(400);
  sale.letGo();
  expect((await good).status).toBe(200);
  expect(sale.batches.flat().length).toBe(1);
});

test("U+0000 in one request is its own fault", async () => {
  const sale = slowSale();
  await using gateway = await startGateway(sale.impls);
  const withNul = { ...wish(2), customer: { name: "a\0b" } };
  expect(await refusalOf(await gateway.post(RESERVE, withNul))).toMatchObject({
    status: 400,
    field: "customer.name",
  });
  expect(sale.batches).toEqual([]);
});

test("each keeps its own time and trace", async () => {
  const sale = slowSale();
  await using gateway = await startGateway(sale.impls);
  const blocking = [gateway.post(RESERVE, wish(2)), gateway.post(RESERVE, wish(2))];
  const short = await gateway.post(RESERVE, wish(4), { "connect-timeout-ms": "150", traceparent: TRACE });
  expect([short.status, (await short.json()).code]).toEqual([504, "deadline_exceeded"]);
  const long = gateway.post(RESERVE, wish(6), { "connect-timeout-ms": "9000", traceparent: "nonsense" });
  await delay(100);
  sale.letGo();
  expect((await long).status).toBe(200);
  await Promise.all(blocking);
  const sent = (quantity: number) =>
    sale.batches.flat().find(({ request }) => request?.items[0]?.quantity === quantity);
  expect(sent(2)?.timeoutMs).toBeGreaterThan(9_000);
  expect(sent(6)?.timeoutMs).toBeLessThanOrEqual(9_000);
  expect(sent(6)?.traceparent).toBe("");
  const inTime = sent(4);
  if (inTime !== undefined) expect([inTime.traceparent, inTime.timeoutMs <= 150]).toEqual([TRACE, true]);
});

test("whoever hangs up before his turn reserves nothing", async () => {
  const sale = slowSale();
  await using gateway = await startGateway(sale.impls);
  const blocking: Promise<Response>[] = [];
  for (const batches of [1, 2]) {
    blocking.push(gateway.post(RESERVE, wish(2)));
    await expect.poll(() => sale.batches.length).toBe(batches);
  }
  const leaving = new AbortController();
  const left = fetch(`${gateway.url}/${RESERVE}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(wish(4)),
    signal: leaving.signal,
  }).catch(() => "left");
  await delay(150);
  leaving.abort();
  expect(await left).toBe("left");
  await delay(100);
  sale.letGo();
  await Promise.all(blocking);
  expect((await gateway.post(RESERVE, wish(6))).status).toBe(200);
  expect(sale.batches.flat().map(({ request }) => request?.items[0]?.quantity)).toEqual([2, 2, 6]);
});

test("an operator's request goes alone, with its bearer", async () => {
  const sale = slowSale();
  await using gateway = await startGateway(sale.impls);
  expect((await gateway.post(RESERVE, wish(2), await gateway.bearer("operator"))).status).toBe(200);
  expect((await gateway.post(RESERVE, wish(2), { authorization: "Bearer nonsense" })).status).toBe(401);
  expect([sale.alone.length, sale.batches.length]).toEqual([1, 0]);
});

test("a service that is away is away for each", async () => {
  const sale = slowSale();
  await using gateway = await startGateway(sale.impls);
  await gateway.backend.close(0);
  const answers = await Promise.all([gateway.post(RESERVE, wish(2)), gateway.post(RESERVE, wish(4))]);
  for (const answer of answers) {
    expect(await refusalOf(answer)).toMatchObject({ status: 503, reason: "DEPENDENCY_UNAVAILABLE" });
  }
});

test("in binary", async () => {
  const sale = slowSale();
  sale.letGo();
  await using gateway = await startGateway(sale.impls);
  const request = toBinary(ReserveRequestSchema, create(ReserveRequestSchema, wish(2)));
  const response = await gateway.post(RESERVE, request, { "content-type": "application/proto" });
  const answer = fromBinary(ReserveResponseSchema, new Uint8Array(await response.arrayBuffer()));
  expect(answer.reservation?.reservationId).toBe("r2");
});
