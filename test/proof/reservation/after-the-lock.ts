import { setTimeout as delay } from "node:timers/promises";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { FaultBoxOffice } from "../../faults/box-office.ts";
import { RowLock } from "../../faults/row-lock.ts";
import { itemsOf, newId, type OpenedEvent, openEvent } from "../../faults/sale.ts";
import { check, type Property } from "../property.ts";
import { told, wordOf } from "../tally.ts";
import { type SaleReplica, saleReplica } from "./replicas.ts";

const ROUNDS = { full: 30, short: 1 };

/** How long before the moment in question a call sets out, and how long after it the lock is released. */
const BEFORE_MS = 250;
const AFTER_MS = 30;

/**
 * Each call sets out while all is well, and is kept waiting for its rows until things have changed: what is decided
 * is decided by what holds when the lock is got.
 */
export const afterTheLock: Property = {
  name: "after-the-lock",
  says: "who had to wait for the rows is judged by the time and the state after the wait",
  async prove(proof) {
    const { office, size } = proof;
    const replicas = {
      steady: await saleReplica(office, "steady", "one"),
      hasty: await saleReplica(office, "hasty", "one"),
      careful: await saleReplica(office, "careful", "one"),
    };
    const violations: string[] = [];
    const eventIds: string[] = [];
    for (let round = 0; round < ROUNDS[size]; round++) {
      const outcomes = await Promise.all(CASES.map((one) => carryOut(office, replicas, one)));
      for (const { event, wrong } of outcomes) {
        eventIds.push(event.eventId);
        if (wrong !== undefined) violations.push(wrong);
      }
    }
    violations.push(...(await check(proof, eventIds)));
    return { counts: { waits: ROUNDS[size] * CASES.length }, violations };
  },
};

type Waiting = {
  name: string;
  replica: "steady" | "hasty" | "careful";
  /** What the event's ticket type is like, given the moment in question. */
  window?: (momentMs: number) => { salesStart?: number; salesEnd?: number };
  /** How long before the end of a hold the moment is; without it there is no hold, and it is soon. */
  beforeEndMs?: number;
  /** Locks what the call will wait for, by these parameters: event, ticket type, reservation. */
  lock: string;
  call: "reserve" | "beginPayment" | "cancelReservation";
  expected: string;
};

const LOCK_RESERVATION = "select 1 from reservation.reservations where reservation_id = $3::uuid for update";
const LOCK_STOCK = "select 1 from reservation.ticket_types where ticket_type_id = $2::uuid for update";
const PAUSE = "update reservation.events set is_paused = true where event_id = $1::uuid";
const CANCEL = "update reservation.events set is_cancelled = true where event_id = $1::uuid";

const CASES: readonly Waiting[] = [
  {
    name: "a payment that waited over the end of the hold",
    replica: "hasty",
    beforeEndMs: 0,
    lock: LOCK_RESERVATION,
    call: "beginPayment",
    expected: "RESERVATION_EXPIRED",
  },
  {
    name: "a payment that waited over the last moment to begin",
    replica: "careful",
    beforeEndMs: 1_000,
    lock: LOCK_RESERVATION,
    call: "beginPayment",
    expected: "RESERVATION_EXPIRING",
  },
  {
    name: "a cancellation that waited over the end of the hold",
    replica: "hasty",
    beforeEndMs: 0,
    lock: LOCK_RESERVATION,
    call: "cancelReservation",
    expected: "RESERVATION_EXPIRED",
  },
  {
    name: "a payment that waited while the event was cancelled",
    replica: "careful",
    beforeEndMs: 1_500,
    lock: CANCEL,
    call: "beginPayment",
    expected: "EVENT_CANCELLED",
  },
  {
    name: "a buyer who waited over the end of the sale",
    replica: "steady",
    window: (salesEnd) => ({ salesEnd }),
    lock: LOCK_STOCK,
    call: "reserve",
    expected: "SALES_CLOSED",
  },
  {
    name: "a buyer who waited over the beginning of the sale",
    replica: "steady",
    window: (salesStart) => ({ salesStart }),
    lock: LOCK_STOCK,
    call: "reserve",
    expected: "answered",
  },
  {
    name: "a buyer who waited while the sale was paused",
    replica: "steady",
    lock: PAUSE,
    call: "reserve",
    expected: "SALES_PAUSED",
  },
  {
    name: "a buyer who waited while the event was cancelled",
    replica: "steady",
    lock: CANCEL,
    call: "reserve",
    expected: "EVENT_CANCELLED",
  },
];

async function carryOut(
  office: FaultBoxOffice,
  replicas: Record<Waiting["replica"], SaleReplica>,
  waiting: Waiting,
): Promise<{ event: OpenedEvent; wrong?: string }> {
  const replica = replicas[waiting.replica];
  const soonMs = Date.now() + 3 * BEFORE_MS;
  const window = waiting.window?.(soonMs) ?? {};
  const event = await openEvent(replica, [10], {
    ...(window.salesStart && { salesStart: timestampFromMs(window.salesStart) }),
    ...(window.salesEnd && { salesEnd: timestampFromMs(window.salesEnd) }),
  });
  const { eventId } = event;
  const items = itemsOf(event, 1);
  const { beforeEndMs } = waiting;
  const held =
    beforeEndMs === undefined ? undefined : (await replica.buyer.reserve({ eventId, items })).reservation;
  const momentMs = held?.expireTime ? timestampMs(held.expireTime) - (beforeEndMs ?? 0) : soonMs;
  const ids = { reservationId: held?.reservationId ?? newId(), paymentId: newId() };

  const params = [eventId, event.types[0], ids.reservationId];
  const lock = await RowLock.take(office.ownerUrl, used(waiting.lock), params);
  await delay(Math.max(0, momentMs - BEFORE_MS - Date.now()));
  const calls = {
    reserve: () => told<unknown>(replica.buyer.reserve({ eventId, items })),
    beginPayment: () => told<unknown>(replica.payment.beginPayment(ids)),
    cancelReservation: () => told<unknown>(replica.buyer.cancelReservation(ids)),
  };
  const answer = calls[waiting.call]();
  await lock.isAwaited();
  await delay(Math.max(0, momentMs + AFTER_MS - Date.now()));
  await lock.release();
  const word = wordOf(await answer);
  if (word === waiting.expected) return { event };
  return { event, wrong: `${waiting.name} came to ${word}, and not to ${waiting.expected}` };
}

/** PostgreSQL must be told the type of every parameter, used or not. */
const used = (statement: string): string =>
  `with unused as (select $1::uuid, $2::uuid, $3::uuid) ${statement}`;
