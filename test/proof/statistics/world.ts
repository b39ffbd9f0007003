import { setTimeout as delay } from "node:timers/promises";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import type { Service } from "../../../local/config.ts";
import { statisticsViolations } from "../../checker/statistics.ts";
import type { FaultBoxOffice, Replica } from "../../faults/box-office.ts";
import { type FaultNats, startNats } from "../../faults/nats.ts";
import type { Random } from "../../faults/random.ts";
import { until } from "../../faults/until.ts";
import { tally, told, wordOf } from "../tally.ts";

/** Within this the statistics have caught up, whatever happened. */
const EXACT_WITHIN_MS = 60_000;

const DAY_MS = 24 * 60 * 60 * 1_000;
const TICKETS = 1_000_000;
const BUYERS = 8;

/** A box office with a nats-server of its own, and everybody who calls it. */
export type World = {
  office: FaultBoxOffice;
  nats: FaultNats;
  stats: Replica;
  catalog: Client<typeof CatalogService>;
  sale: Client<typeof ReservationService>;
  buyer: Client<typeof PaymentService>;
  operator: Client<typeof PaymentService>;
  statistics: Client<typeof StatsService>;
};

const worlds = new WeakMap<FaultBoxOffice, Promise<World>>();

/** The one world of a box office: what is broken in it is whole again at the end of each proof. */
export function worldOf(office: FaultBoxOffice): Promise<World> {
  const known = worlds.get(office) ?? openWorld(office);
  worlds.set(office, known);
  return known;
}

async function openWorld(office: FaultBoxOffice): Promise<World> {
  const nats = await startNats(office);
  const start = (service: Service, settings = {}) =>
    office.start(service, { name: "of statistics", natsUrl: nats.url, settings });
  const reservation = await start("reservation", { HOLD_SECONDS: 2, PAY_MARGIN_SECONDS: 0 });
  const addresses = { RESERVATION_ADDRESS: reservation.address };
  const [catalog, payment] = await Promise.all([start("catalog", addresses), start("payment", addresses)]);
  const stats = await start("stats", {
    ...addresses,
    CATALOG_ADDRESS: catalog.address,
    PAYMENT_ADDRESS: payment.address,
    VERIFY_EVERY_HOURS: 0,
  });
  return {
    office,
    nats,
    stats,
    catalog: await office.connect(CatalogService, catalog.address, "operator"),
    sale: await office.connect(ReservationService, reservation.address),
    buyer: await office.connect(PaymentService, payment.address),
    operator: await office.connect(PaymentService, payment.address, "operator"),
    statistics: await office.connect(StatsService, stats.address, "operator"),
  };
}

/** Puts an event on sale with two types, of which there are more tickets than anybody buys. */
async function publishEvent({ catalog }: World): Promise<{ eventId: string; types: string[] }> {
  const type = (name: string, cents: bigint) => ({
    name,
    price: { currencyCode: "EUR", minorUnits: cents },
    quantity: TICKETS,
    maxPerReservation: 10,
  });
  const { event } = await catalog.createEvent({
    event: {
      name: "A proof",
      venue: "Here",
      startsAt: timestampFromMs(Date.now() + DAY_MS),
      timeZone: "Europe/Berlin",
      ticketTypes: [type("Standing", 10_00n), type("VIP", 50_00n)],
    },
  });
  const eventId = event?.eventId ?? "";
  await catalog.publishEvent({ eventId });
  return { eventId, types: (event?.ticketTypes ?? []).map(({ ticketTypeId }) => ticketTypeId) };
}

/** What came of a sale. */
export type Sold = { eventIds: string[]; words: string[]; slowestMs: number };

/** Answers that are no fault of anybody's. */
const TRUE_ANSWERS = [
  "answered",
  "CARD_DECLINED",
  "PAYMENT_FAILED",
  "RESERVATION_EXPIRED",
  "RESERVATION_EXPIRING",
];

/**
 * Sells while `happening` goes on, and a moment longer: buyers hold, pay, are declined, cancel, get their money back,
 * or let their holds expire. All but two words are the tokens that they pay with.
 */
export async function sellDuring(
  world: World,
  random: Random,
  happening: () => Promise<void>,
): Promise<Sold> {
  const events = await Promise.all([1, 2, 3].map(() => publishEvent(world)));
  const over = new AbortController();
  const sold: Sold = { eventIds: events.map(({ eventId }) => eventId), words: [], slowestMs: 0 };
  const buying = Array.from({ length: BUYERS }, async (_, index) => {
    const chance = random.fork(`buyer ${index}`);
    while (!over.signal.aborted) await buy(world, chance, chance.pick(events), sold);
  });
  try {
    await happening();
  } finally {
    over.abort();
    await Promise.all(buying);
  }
  return sold;
}

async function buy(
  { sale, buyer, operator }: World,
  random: Random,
  { eventId, types }: { eventId: string; types: readonly string[] },
  sold: Sold,
): Promise<void> {
  const note = async <T>(call: Promise<T>) => {
    const startedAtMs = performance.now();
    const outcome = await told(call);
    sold.slowestMs = Math.max(sold.slowestMs, performance.now() - startedAtMs);
    sold.words.push(wordOf(outcome));
    return outcome.kind === "answered" ? outcome.answer : undefined;
  };
  const items = random
    .shuffle(types)
    .slice(0, random.int(1, 2))
    .map((ticketTypeId) => ({ ticketTypeId, quantity: random.int(1, 3) }));
  const held = await note(sale.reserve({ eventId, items }));
  const reservationId = held?.reservation?.reservationId;
  if (reservationId === undefined) return void (await delay(random.int(10, 50)));
  const fate = random.pick([
    "leave",
    "cancel",
    "a card",
    "another card",
    "card_error",
    "payment_error",
    "refund",
  ]);
  await delay(random.int(0, 30));
  if (fate === "leave") return;
  if (fate === "cancel") return void (await note(sale.cancelReservation({ reservationId })));
  const paid = await note(buyer.payReservation({ reservationId, token: fate }));
  const paymentId = paid?.payment?.paymentId;
  if (fate === "refund" && paymentId) await note(operator.refundPayment({ paymentId, reason: "proof" }));
}

/** What is wrong with how a sale went: whatever happens to NATS and the statistics, nobody who buys may notice. */
export function saleViolations({ words, slowestMs }: Sold, slowMs: number): string[] {
  const counts = tally(words);
  const violations = Object.entries(counts)
    .filter(([word]) => !TRUE_ANSWERS.includes(word))
    .map(([word, count]) => `${count} calls of the sale came to ${word}`);
  if ((counts.answered ?? 0) === 0) violations.push("nothing was sold");
  if (slowestMs > slowMs) violations.push(`a call of the sale took ${Math.round(slowestMs)} ms`);
  return violations;
}

/** Waits until the statistics equal a recount. @returns how long it took, and what differs where they do not in time */
export async function untilExact(
  { office, statistics }: Pick<World, "office" | "statistics">,
  eventIds: readonly string[],
): Promise<{ ms: number; violations: string[] }> {
  let violations: string[] = [];
  const isExact = async () => {
    violations = await statisticsViolations(office.database, statistics, eventIds).catch(
      (error: Error) => [`the statistics do not answer: ${error.message}`], // yet, after they were killed
    );
    return violations.length === 0;
  };
  const ms = await until("the statistics equal a recount", EXACT_WITHIN_MS, isExact).catch(
    () => EXACT_WITHIN_MS,
  );
  return { ms, violations };
}

/** Waits until every hold of the sale has ended and all is announced, so that nothing is counted any more. */
export async function untilQuiet({ office }: World, eventIds: readonly string[]): Promise<void> {
  const quiet = async () => {
    const rows = await office.database.query({
      text: `
        select 1 from reservation.reservations where state in ('HELD', 'PAYING') and event_id = any($1::uuid[])
        union all select 1 from reservation.outbox where published_at is null
        union all select 1 from payment.outbox where published_at is null
        union all select 1 from catalog.outbox where published_at is null
        limit 1`,
      values: [eventIds],
    });
    return rows.length === 0;
  };
  await until("every hold has ended and is announced", EXACT_WITHIN_MS, quiet);
}
