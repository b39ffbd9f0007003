import { afterAll, beforeAll, expect, test } from "vitest";
import { createSale, openEvent, type Replica } from "./harness.ts";

let sale: Awaited<ReturnType<typeof createSale>>;
let replica: Replica;

beforeAll(async () => {
  sale = await createSale();
  replica = await sale.start();
});

afterAll(() => sale?.end());

test("who paused and resumed a sale, and why, is on record; once, however often they ask", async () => {
  const { eventId } = await openEvent(replica, [10]);
  const { operator } = replica;
  await operator.pauseSales({ eventId, reason: "the plan of the hall is wrong" });
  await operator.pauseSales({ eventId, reason: "again" });
  await operator.resumeSales({ eventId });
  const { entries } = await operator.listAuditEntries({ filter: { eventId } });
  expect(entries.map(({ actor, action, target, reason }) => [actor, action, target, reason])).toEqual([
    ["operator", "ResumeSales", eventId, ""],
    ["operator", "PauseSales", eventId, "the plan of the hall is wrong"],
  ]);
});
