import { systemRuntime } from "@boxoffice/platform/runtime.ts";
import { AvailabilityStatusSchema } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AvailabilityWatches } from "../watches.ts";
import { createSale, items, log, newId, openEvent, type Replica } from "./harness.ts";

let sale: Awaited<ReturnType<typeof createSale>>;
let replica: Replica;

beforeAll(async () => {
  sale = await createSale();
  replica = await sale.start({ holdMs: 1_500 });
});

afterAll(() => sale.end());

const firstOf = <T>(ticketTypes: T[]): T => {
  const [first] = ticketTypes;
  if (first === undefined) throw new Error("there is a ticket type");
  return first;
};

describe("whoever watches what is left", () => {
  test("gets it at once, then every kind of change, and the hold's end, which nobody tells", async () => {
    const { eventId, types } = await openEvent(replica, [10, 5]);
    const seen: string[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const { ticketTypes } of replica.buyer.watchAvailability({ eventId }, stop)) {
        const { available, quantity, status } = firstOf(ticketTypes);
        seen.push(`${available}/${quantity} ${AvailabilityStatusSchema.value[status]?.localName}`);
      }
    })().catch(() => undefined);
    const last = () => expect.poll(() => seen.at(-1));
    await last().toBe("10/10 ON_SALE");
    await replica.buyer.reserve({ eventId, items: items(types, 3) });
    await last().toBe("7/10 ON_SALE");
    await last().toBe("10/10 ON_SALE");
    await replica.operator.pauseSales({ eventId, reason: "test" });
    await last().toBe("10/10 PAUSED");
    await replica.operator.resumeSales({ eventId, reason: "test" });
    await last().toBe("10/10 ON_SALE");
    await replica.catalog.closeSales({ eventId, version: 9n });
    await last().toBe("10/10 CANCELLED");
    stop.abort();
    await watching;
  });

  test("gets an answer that is whole, and the same as who asks once", async () => {
    const { eventId } = await openEvent(replica, [10, 5]);
    for await (const { $typeName: _, ...watched } of replica.buyer.watchAvailability({ eventId })) {
      const { $typeName: __, ...asked } = await replica.buyer.getAvailability({ eventId });
      expect(watched).toEqual(asked);
      break;
    }
  });

  test("is told when there is no such event", async () => {
    const watch = async () => {
      for await (const _ of replica.buyer.watchAvailability({ eventId: newId() })) break;
    };
    await expect(watch()).rejects.toMatchObject({ reason: "EVENT_NOT_FOUND" });
  });
});

/** Watches of numbers that rise whenever they are read. */
function counting() {
  const counter = { reads: 0, value: 0 };
  const watches = new AvailabilityWatches<number>({
    read: async () => {
      counter.reads++;
      return counter.value;
    },
    bytesOf: (value) => Buffer.from(String(value)),
    runtime: systemRuntime,
    log,
  });
  return { counter, watches };
}

describe("an event that many watch", () => {
  test("is read once for all of them, ten times a second at most, and the last change is told", async () => {
    const { counter, watches } = counting();
    const stop = new AbortController();
    const told = Array.from({ length: 50 }, () => [] as number[]);
    const watching = told.map(async (numbers) => {
      for await (const value of watches.watch("a", stop.signal)) numbers.push(value);
    });
    await expect.poll(() => told.every((numbers) => numbers.length === 1)).toBe(true);
    const readBefore = counter.reads;
    const startedAt = Date.now();
    for (let change = 1; change <= 100; change++) {
      counter.value = change;
      watches.changed("a");
      await systemRuntime.sleep(5);
    }
    await expect.poll(() => told.every((numbers) => numbers.at(-1) === 100)).toBe(true);
    expect(counter.reads - readBefore).toBeLessThanOrEqual(Math.ceil((Date.now() - startedAt) / 100) + 1);
    stop.abort();
    await Promise.all(watching);
    const readsAtEnd = counter.reads;
    await systemRuntime.sleep(1_200);
    expect(counter.reads).toBe(readsAtEnd);
  });

  test("is shown as it is now to a reader who was slow", async () => {
    const { counter, watches } = counting();
    const reader = watches.watch("a", new AbortController().signal);
    expect((await reader.next()).value).toBe(0);
    for (let change = 1; change <= 5; change++) {
      counter.value = change;
      watches.changed("a");
      await systemRuntime.sleep(120);
    }
    expect((await reader.next()).value).toBe(5);
    await reader.return(undefined);
  });
});
