import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { EventState } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { claimCommands } from "../store/commands.ts";
import {
  createCatalog,
  createEvent,
  createPublished,
  eur,
  inDays,
  messagesOf,
  newId,
  type Replica,
  type ReplicaOptions,
  readEvent,
  refusalOf,
  ticketType,
} from "./harness.ts";
import type { Told } from "./sale.ts";

let catalog: Awaited<ReturnType<typeof createCatalog>>;
let started: Replica[] = [];

beforeAll(async () => {
  catalog = await createCatalog();
});

afterEach(async () => {
  catalog.sale.before = () => {};
  for (const replica of started) await replica.close();
  started = [];
});

afterAll(() => catalog.end());

async function start(options: ReplicaOptions = {}): Promise<Replica> {
  const replica = await catalog.start(options);
  started.push(replica);
  return replica;
}

/** Fails every call about one event, so that the test's neighbours are left alone. */
function failFor(eventId: string, error: () => Error, when: (told: Told) => boolean = () => true) {
  catalog.sale.before = (told) => {
    if (told.eventId === eventId && when(told)) throw error();
  };
}

/** Lets the next call about an event wait until it is let go. */
function hangFirst(eventId: string) {
  const held = Promise.withResolvers<void>();
  let calls = 0;
  catalog.sale.before = (told) => (told.eventId === eventId && calls++ === 0 ? held.promise : undefined);
  return held;
}

const unavailable = () => new BoxofficeError("DEPENDENCY_UNAVAILABLE", "away");

const setQuantity = ({ operator }: Replica, eventId: string, ticketTypeId: string, quantity: number) =>
  operator.updateTicketType({
    eventId,
    ticketTypeId,
    ticketType: { quantity },
    updateMask: { paths: ["quantity"] },
  });

const firstType = ({ ticketTypes }: { ticketTypes: { ticketTypeId: string }[] }) =>
  ticketTypes[0]?.ticketTypeId ?? "";

const isSettled = async (replica: Replica, eventId: string) =>
  !(await readEvent(replica, eventId)).changePending;

describe("when the sale cannot be told", () => {
  test("an event is published all the same, and opens once the sale is back", async () => {
    const replica = await start({ withCompleter: true });
    const { eventId } = await createEvent(replica);
    await catalog.sale.stop();
    const { event } = await replica.operator.publishEvent({ eventId });
    expect(event).toMatchObject({ state: EventState.PUBLISHED, changePending: true });
    await catalog.sale.start();
    await expect.poll(() => isSettled(replica, eventId), { timeout: 10_000 }).toBe(true);
    expect(catalog.sale.versionsOf(eventId)).toEqual([2n]);
  });

  test("the caller waits for a bounded time, and delivery goes on without them", async () => {
    const replica = await start({ waitMs: 200 });
    const { eventId } = await createEvent(replica);
    const hung = Promise.withResolvers<void>();
    catalog.sale.before = () => hung.promise;
    const startedAt = performance.now();
    const { event } = await replica.operator.publishEvent({ eventId });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(event?.changePending).toBe(true);
    hung.resolve();
    await expect.poll(() => isSettled(replica, eventId), { timeout: 5_000 }).toBe(true);
    expect(catalog.sale.versionsOf(eventId)).toEqual([2n]);
  });

  test("a call without an answer is made again, and its late arrival changes nothing", async () => {
    const replica = await start({ saleTimeoutMs: 200, withCompleter: true });
    const { eventId } = await createEvent(replica);
    const late = hangFirst(eventId);
    await replica.operator.publishEvent({ eventId });
    await expect.poll(() => isSettled(replica, eventId), { timeout: 5_000 }).toBe(true);
    late.resolve();
    await expect.poll(() => catalog.sale.versionsOf(eventId)).toEqual([2n, 2n]);
    expect(catalog.sale.events.get(eventId)?.version).toBe(2n);
  });

  test("what a crash left between commit and delivery is delivered by another replica", async () => {
    const crashing = await start();
    const { eventId } = await createEvent(crashing);
    failFor(eventId, unavailable);
    await crashing.operator.publishEvent({ eventId });
    await crashing.close();
    catalog.sale.before = () => {};
    const other = await start({ withCompleter: true });
    await expect.poll(() => isSettled(other, eventId), { timeout: 5_000 }).toBe(true);
    expect(catalog.sale.events.get(eventId)?.version).toBe(2n);
  });

  test("what a crash left during delivery is delivered when the lease has ended, and not before", async () => {
    const crashing = await start();
    const { eventId } = await createEvent(crashing);
    failFor(eventId, unavailable);
    await crashing.operator.publishEvent({ eventId });
    const lease = { leaseId: newId(), leaseMs: 1_000, limit: 1, eventId };
    expect(await claimCommands(crashing.database, lease)).toHaveLength(1);
    catalog.sale.before = () => {};
    expect(await claimCommands(crashing.database, { ...lease, leaseId: newId() })).toEqual([]);
    await start({ withCompleter: true });
    await expect.poll(() => isSettled(crashing, eventId), { timeout: 5_000 }).toBe(true);
  });

  test("the next change of the event delivers both, in their order", async () => {
    const replica = await start();
    const { eventId } = await createEvent(replica);
    failFor(eventId, unavailable);
    await replica.operator.publishEvent({ eventId });
    catalog.sale.before = () => {};
    const { event } = await replica.operator.addTicketType({ eventId, ticketType: ticketType("Late") });
    expect(event?.changePending).toBe(false);
    expect(catalog.sale.versionsOf(eventId)).toEqual([2n, 3n]);
  });

  test("an event that the sale refuses holds nobody else up, and is not asked about all the time", async () => {
    const replica = await start({ withCompleter: true });
    const refused = await createEvent(replica);
    let asked = 0;
    failFor(refused.eventId, () => {
      asked++;
      return new BoxofficeError("INVALID_REQUEST", "not like this");
    });
    const { event } = await replica.operator.publishEvent({ eventId: refused.eventId });
    expect(event?.changePending).toBe(true);
    const { changePending } = await createPublished(replica);
    expect(changePending).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(asked).toBe(1);
  });

  test("an outage is asked about less and less often", async () => {
    const replica = await start();
    const { eventId } = await createEvent(replica);
    failFor(eventId, unavailable);
    await replica.operator.publishEvent({ eventId });
    const delays: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      const [row] = await replica.database.query<{ ms: number }>({
        text: `
          select extract(epoch from attempt_at - catalog.clock())::float8 * 1000 as ms
          from catalog.commands where event_id = $1`,
        values: [eventId],
      });
      delays.push(row?.ms ?? 0);
      await replica.database.query({
        text: "update catalog.commands set attempt_at = catalog.clock() where event_id = $1",
        values: [eventId],
      });
      await replica.completer.deliverDue();
    }
    expect(delays[0]).toBeLessThan(300);
    expect(delays[7]).toBeGreaterThan(4_000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(10_000);
  });
});

describe("the order of commands", () => {
  test("is kept by twenty parallel changes", async () => {
    const replica = await start({ withCompleter: true });
    const event = await createPublished(replica);
    const prices = Array.from({ length: 20 }, (_, index) => index + 1);
    await Promise.all(
      prices.map((cents) =>
        replica.operator.updateTicketType({
          eventId: event.eventId,
          ticketTypeId: firstType(event),
          ticketType: { price: eur(cents) },
          updateMask: { paths: ["price"] },
        }),
      ),
    );
    await expect.poll(() => isSettled(replica, event.eventId), { timeout: 10_000 }).toBe(true);
    const versions = catalog.sale.versionsOf(event.eventId);
    expect(versions).toEqual(Array.from({ length: 21 }, (_, index) => BigInt(index + 2)));
    const { ticketTypes } = await readEvent(replica, event.eventId);
    const known = catalog.sale.events.get(event.eventId)?.types.get(firstType(event));
    expect(ticketTypes[0]?.price?.minorUnits).toBe(known?.priceMinor);
    expect((await messagesOf(replica, event.eventId)).map(({ version }) => version)).toEqual(
      Array.from({ length: 22 }, (_, index) => BigInt(index + 1)),
    );
  });

  test("is kept by two completers, each command delivered once", async () => {
    const replica = await start();
    const events = await Promise.all(Array.from({ length: 6 }, () => createEvent(replica)));
    const ids = new Set(events.map(({ eventId }) => eventId));
    catalog.sale.before = ({ eventId }) => {
      if (ids.has(eventId)) throw unavailable();
    };
    for (const { eventId, ticketTypes } of events) {
      await replica.operator.publishEvent({ eventId });
      for (const quantity of [1, 2, 3])
        await setQuantity(replica, eventId, firstType({ ticketTypes }), quantity);
      await replica.operator.cancelEvent({ eventId });
    }
    catalog.sale.before = () => {};
    await Promise.all([start({ withCompleter: true }), start({ withCompleter: true })]);
    for (const eventId of ids) {
      await expect.poll(() => isSettled(replica, eventId), { timeout: 10_000 }).toBe(true);
      expect(catalog.sale.versionsOf(eventId)).toEqual([2n, 3n, 4n, 5n, 6n]);
      expect(catalog.sale.events.get(eventId)?.isClosed).toBe(true);
    }
  });
});

describe("a quantity below what is reserved", () => {
  test("is the caller's error, and nothing is changed", async () => {
    const replica = await start();
    const before = await createPublished(replica);
    const ticketTypeId = firstType(before);
    catalog.sale.reserved.set(ticketTypeId, 80);
    const refused = replica.operator.updateTicketType({
      eventId: before.eventId,
      ticketTypeId,
      ticketType: { quantity: 79, price: eur(1) },
      updateMask: { paths: ["quantity", "price"] },
    });
    await expect(refused).rejects.toMatchObject({
      reason: "QUANTITY_BELOW_RESERVED",
      metadata: { ticket_type_id: ticketTypeId, reserved: "80" },
    });
    const after = await readEvent(replica, before.eventId);
    expect(after).toEqual({ ...before, etag: "4" });
    expect((await messagesOf(replica, before.eventId)).map(({ version }) => version)).toEqual([
      1n,
      2n,
      3n,
      4n,
    ]);
    expect(catalog.sale.quantityOf(before.eventId, ticketTypeId)).toBe(100);
    const { entries } = await replica.operator.listAuditEntries({ filter: { eventId: before.eventId } });
    expect(entries[0]).toMatchObject({
      actor: "catalog",
      action: "TakeBack",
      target: ticketTypeId,
      reason: expect.stringContaining("QUANTITY_BELOW_RESERVED"),
      details: { quantity: "79 → 100" },
    });

    const { event } = await setQuantity(replica, before.eventId, ticketTypeId, 80);
    expect(event).toMatchObject({ etag: "5", changePending: false });
    expect(catalog.sale.quantityOf(before.eventId, ticketTypeId)).toBe(80);
  });

  test("found by the completer is taken back, and what was changed after it stays", async () => {
    const replica = await start();
    const event = await createPublished(replica);
    const { eventId } = event;
    const ticketTypeId = firstType(event);
    catalog.sale.reserved.set(ticketTypeId, 80);
    failFor(eventId, unavailable);
    await setQuantity(replica, eventId, ticketTypeId, 10);
    await replica.operator.updateTicketType({
      eventId,
      ticketTypeId,
      ticketType: { price: eur(7) },
      updateMask: { paths: ["price"] },
    });
    await replica.operator.updateEvent({
      eventId,
      event: { startsAt: inDays(50) },
      updateMask: { paths: ["starts_at"] },
    });
    expect(await readEvent(replica, eventId)).toMatchObject({
      changePending: true,
      ticketTypes: [{ quantity: 10 }, {}],
    });
    catalog.sale.before = () => {};
    await start({ withCompleter: true });
    await expect.poll(() => isSettled(replica, eventId), { timeout: 10_000 }).toBe(true);
    const after = await readEvent(replica, eventId);
    expect(after.ticketTypes[0]).toMatchObject({ quantity: 100, price: eur(7) });
    expect(after.startsAt).toMatchObject(inDays(50));
    expect(catalog.sale.events.get(eventId)?.types.get(ticketTypeId)).toEqual({
      quantity: 100,
      priceMinor: 7n,
    });
    expect(catalog.sale.versionsOf(eventId)).toEqual([2n, 3n, 4n, 5n, 6n]);
  });

  test("stays taken back, though a lost attempt arrives when there is room for it", async () => {
    const replica = await start({ saleTimeoutMs: 200, withCompleter: true });
    const event = await createPublished(replica);
    const ticketTypeId = firstType(event);
    catalog.sale.reserved.set(ticketTypeId, 80);
    const late = hangFirst(event.eventId);
    await setQuantity(replica, event.eventId, ticketTypeId, 10);
    await expect.poll(() => isSettled(replica, event.eventId), { timeout: 5_000 }).toBe(true);
    catalog.sale.reserved.set(ticketTypeId, 0);
    late.resolve();
    await expect.poll(() => catalog.sale.versionsOf(event.eventId)).toEqual([2n, 3n, 4n, 3n]);
    expect(await readEvent(replica, event.eventId)).toMatchObject({ ticketTypes: [{ quantity: 100 }, {}] });
    expect(catalog.sale.quantityOf(event.eventId, ticketTypeId)).toBe(100);
  });

  test("of an event that was cancelled meanwhile does not keep its sale from closing", async () => {
    const replica = await start();
    const event = await createPublished(replica);
    catalog.sale.reserved.set(firstType(event), 80);
    failFor(event.eventId, unavailable);
    await setQuantity(replica, event.eventId, firstType(event), 10);
    await replica.operator.cancelEvent({ eventId: event.eventId });
    catalog.sale.before = () => {};
    await start({ withCompleter: true });
    await expect.poll(() => isSettled(replica, event.eventId), { timeout: 10_000 }).toBe(true);
    expect(await readEvent(replica, event.eventId)).toMatchObject({
      state: EventState.CANCELLED,
      ticketTypes: [{ quantity: 100 }, {}],
    });
    expect(catalog.sale.events.get(event.eventId)?.isClosed).toBe(true);
  });

  test("of parallel changes refuses those that are too low, and ends with one that is not", async () => {
    const replica = await start({ withCompleter: true });
    const event = await createPublished(replica);
    const ticketTypeId = firstType(event);
    catalog.sale.reserved.set(ticketTypeId, 50);
    const quantities = [10, 60, 20, 70, 30, 80, 40, 90];
    const outcomes = await Promise.allSettled(
      quantities.map((quantity) => setQuantity(replica, event.eventId, ticketTypeId, quantity)),
    );
    for (const [index, quantity] of quantities.entries()) {
      if (quantity < 50)
        expect(outcomes[index]).toMatchObject({ reason: { reason: "QUANTITY_BELOW_RESERVED" } });
      else expect(outcomes[index]?.status).toBe("fulfilled");
    }
    await expect.poll(() => isSettled(replica, event.eventId), { timeout: 10_000 }).toBe(true);
    const { ticketTypes } = await readEvent(replica, event.eventId);
    expect(ticketTypes[0]?.quantity).toBeGreaterThanOrEqual(60);
    expect(catalog.sale.quantityOf(event.eventId, ticketTypeId)).toBe(ticketTypes[0]?.quantity);
    const versions = catalog.sale.versionsOf(event.eventId);
    expect(versions).toEqual([...versions].sort((a, b) => Number(a - b)));
  });
});

test("a change that the database refuses to take is no change for the sale", async () => {
  const replica = await start();
  const event = await createPublished(replica);
  const missing = setQuantity(replica, event.eventId, newId(), 1);
  expect(await refusalOf(missing)).toMatchObject({ reason: "TICKET_TYPE_NOT_FOUND" });
  expect(catalog.sale.versionsOf(event.eventId)).toEqual([2n]);
});
