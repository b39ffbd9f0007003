import { setTimeout as delay } from "node:timers/promises";
import type { FaultBoxOffice } from "../../faults/box-office.ts";
import type { Random } from "../../faults/random.ts";
import { itemsOf, newId, type OpenedEvent, openEvent, ticketType } from "../../faults/sale.ts";
import { until } from "../../faults/until.ts";
import { check, type Property } from "../property.ts";
import { tally, told, unexpectedWords, wordOf } from "../tally.ts";
import { type SaleReplica, saleReplica } from "./replicas.ts";

const RUN_MS = { full: 60_000, short: 4_000 };
const BUYERS = { full: 80, short: 30 };

/** Few enough to be sold out all the time, so that buyers take back what has expired. */
const QUANTITIES = [30, 20, 10];

/** Answers that are true at some moment of such a sale. A fault, or no answer, is not: nothing is broken here. */
const TRUE_ANSWERS = [
  "answered",
  "SOLD_OUT",
  "SALES_PAUSED",
  "RESERVATION_EXPIRED",
  "RESERVATION_EXPIRING",
  "RESERVATION_CANCELLED",
  "RESERVATION_ALREADY_PAID",
  "PAYMENT_IN_PROGRESS",
  "PAYMENT_FAILED",
  "QUANTITY_BELOW_RESERVED",
];

/** Everything that takes locks, at once, on the same few rows. */
export const everything: Property = {
  name: "everything",
  says: "sweepers, reclaim, cancel, payments, pauses and quantity changes together: no deadlock reaches a caller, the stock recounts exactly",
  async prove(proof) {
    const { office, size } = proof;
    const random = proof.random.fork("load");
    const replicas = await Promise.all([
      saleReplica(office, "hasty", "one"),
      saleReplica(office, "careful", "one"),
    ]);
    const events = await Promise.all([1, 2, 3].map(() => openEvent(replicas[0], QUANTITIES)));
    const deadlocksBefore = await countDeadlocks(office);
    const words: string[] = [];
    const closing = AbortSignal.timeout(RUN_MS[size]);
    const load = { replicas, events, words, closing };
    await Promise.all([
      ...Array.from({ length: BUYERS[size] }, (_, index) => buy(load, random.fork(`buyer ${index}`))),
      ...events.map((event) => changeQuantities(load, event, random.fork(`quantities ${event.types}`))),
      pauseNowAndThen(load, random.fork("pauses")),
      lookOn(load, random.fork("onlooker")),
    ]);
    const counts = tally(words);
    const violations = unexpectedWords(counts, TRUE_ANSWERS, "calls");
    violations.push(...(await untilSettled(office, events)));
    for (const { eventId } of events) {
      const { consistent } = await random.pick(replicas).operator.recount({ eventId });
      if (!consistent) violations.push(`the recount of event ${eventId} differs from its stock`);
    }
    const eventIds = events.map(({ eventId }) => eventId);
    violations.push(...(await check(proof, eventIds)));
    const deadlocks = (await countDeadlocks(office)) - deadlocksBefore;
    const [calls, granted, soldOut] = [words.length, counts.answered ?? 0, counts.SOLD_OUT ?? 0];
    return { counts: { calls, granted, "sold out": soldOut, "deadlocks solved": deadlocks }, violations };
  },
};

type Load = {
  replicas: readonly SaleReplica[];
  events: readonly OpenedEvent[];
  /** What all calls came to. */
  words: string[];
  closing: AbortSignal;
};

/** Reserves several types in any order, and then lets the hold end in one of the ways there are. */
async function buy({ replicas, events, words, closing }: Load, random: Random): Promise<void> {
  const note = async <T>(call: Promise<T>) => {
    const outcome = await told(call);
    words.push(wordOf(outcome));
    return outcome.kind === "answered" ? outcome.answer : undefined;
  };
  while (!closing.aborted) {
    const [main, other] = random.shuffle(replicas) as [SaleReplica, SaleReplica];
    const event = random.pick(events);
    const wished = itemsOf(event, random.int(1, 2), random.int(0, 2), random.int(0, 1));
    const request = { eventId: event.eventId, items: random.shuffle(wished) };
    const answer = await note(main.buyer.reserve(request));
    if (!answer?.reservation) {
      await delay(random.int(1, 40));
      continue;
    }
    const ids = { reservationId: answer.reservation.reservationId, paymentId: newId() };
    await delay(random.int(0, random.chance(0.2) ? 1_100 : 200));
    const fate = random.pick(["cancel", "leave", "confirm", "abort", "refund", "both"] as const);
    if (fate === "leave") continue;
    if (fate === "cancel") {
      await note(other.buyer.cancelReservation(ids));
      continue;
    }
    const rival = fate === "both" ? note(other.buyer.cancelReservation(ids)) : undefined;
    const begun = await note(main.payment.beginPayment(ids));
    await rival;
    if (begun === undefined) continue;
    await delay(random.int(0, 60));
    if (fate === "abort" || random.chance(0.2)) {
      await note(other.payment.abortPayment(ids));
      continue;
    }
    await note(main.payment.confirmPayment(ids));
    // Nearly all is given back in the end, or there would soon be nothing left to fight for.
    if (fate === "refund" || random.chance(0.97)) {
      await note(other.payment.releasePaid({ ...ids, keepOffSale: random.chance(0.1) }));
    }
  }
}

/** Raises and lowers the quantities of an event's types, as catalog's commands do. */
async function changeQuantities(
  { replicas, words, closing }: Load,
  { eventId, types }: OpenedEvent,
  random: Random,
): Promise<void> {
  for (let version = 2n; !closing.aborted; version++) {
    const position = random.int(0, types.length - 1);
    const quantity = Math.max(0, (QUANTITIES[position] ?? 0) + random.int(-15, 15));
    const type = ticketType(types[position] ?? "", position, quantity);
    const call = random.pick(replicas).catalog.changeTicketType({ eventId, version, ticketType: type });
    words.push(wordOf(await told(call)));
    await delay(random.int(5, 60));
  }
}

async function pauseNowAndThen({ replicas, events, words, closing }: Load, random: Random): Promise<void> {
  while (!closing.aborted) {
    const { eventId } = random.pick(events);
    await delay(random.int(100, 500));
    words.push(wordOf(await told<unknown>(random.pick(replicas).operator.pauseSales({ eventId }))));
    await delay(random.int(5, 80));
    words.push(wordOf(await told<unknown>(random.pick(replicas).operator.resumeSales({ eventId }))));
  }
}

/** Reads what is left all the time: never less than nothing, never more than there is. */
async function lookOn({ replicas, events, words, closing }: Load, random: Random): Promise<void> {
  while (!closing.aborted) {
    const { eventId } = random.pick(events);
    const outcome = await told(random.pick(replicas).buyer.getAvailability({ eventId }));
    words.push(wordOf(outcome));
    if (outcome.kind === "answered") {
      for (const { available, quantity } of outcome.answer.ticketTypes) {
        if (available < 0 || available > quantity) words.push(`${available} available of ${quantity}`);
      }
    }
    await delay(random.int(5, 50));
  }
}

/** Waits until the sweepers have ended every hold. @returns what is wrong where they do not */
async function untilSettled({ database }: FaultBoxOffice, events: readonly OpenedEvent[]): Promise<string[]> {
  const text =
    "select 1 from reservation.reservations where state = 'HELD' and event_id = any($1::uuid[]) limit 1";
  const values = [events.map(({ eventId }) => eventId)];
  const isSettled = async () => (await database.query({ text, values })).length === 0;
  return until("every hold is ended", 30_000, isSettled).then(
    () => [],
    (error: Error) => [error.message],
  );
}

async function countDeadlocks({ database }: FaultBoxOffice): Promise<number> {
  const rows = await database.query<{ deadlocks: bigint }>({
    text: "select deadlocks from pg_stat_database where datname = current_database()",
  });
  return Number(rows[0]?.deadlocks ?? 0n);
}
