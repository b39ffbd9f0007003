import { setTimeout as delay } from "node:timers/promises";
import type { Reservation } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Told } from "../../checker/history.ts";
import { stateName } from "../../checker/state-name.ts";
import type { FaultBoxOffice } from "../../faults/box-office.ts";
import { itemsOf, newId, type OpenedEvent, openEvent } from "../../faults/sale.ts";
import { until } from "../../faults/until.ts";
import { pooled } from "../pooled.ts";
import { check, type Finding, type Proof, type Property } from "../property.ts";
import { told, wordOf } from "../tally.ts";
import { type SaleReplica, saleReplica } from "./replicas.ts";

const RACES = { full: 10_000, short: 120 };
const AT_A_TIME = { full: 300, short: 40 };
const SPREAD_MS = 1_000;

/** Contenders set out within this time of the moment in question. */
const AROUND_MS = 50;

/** On a machine that is too slow to be on time, races are run again, but not for ever. */
const TRIES_PER_RACE = 5;

/** Cancel, begin-payment and the sweepers, within 50 ms of the end of a hold that may be paid to the last moment. */
export const expiryRace: Property = {
  name: "expiry-race",
  says: "of cancel, begin-payment and expiry within 50 ms of the end of a hold, exactly one wins",
  async prove(proof) {
    const [main, other] = await Promise.all([
      saleReplica(proof.office, "hasty", "one"),
      saleReplica(proof.office, "careful", "one"),
    ]);
    return runRaces(proof, main, other, { beforeEndMs: 0, judge: judgeAtEnd });
  },
};

/** Cancel and begin-payment, around the moment from which a hold has too little time left to be paid. */
export const marginRace: Property = {
  name: "margin-race",
  says: "of cancel and begin-payment around the last moment to begin, exactly one wins, and none begins too late",
  async prove(proof) {
    const [main, other] = await Promise.all([
      saleReplica(proof.office, "careful", "one"),
      saleReplica(proof.office, "hasty", "one"),
    ]);
    return runRaces(proof, main, other, { beforeEndMs: 1_000, judge: judgeAtMargin });
  },
};

type Kind = {
  /** How long before the end of the hold the moment is. */
  beforeEndMs: number;
  /** Who won, or what is wrong. */
  judge(race: Race): { winner: string } | { wrong: string };
};

type Contender = { sentMs: number; answeredMs: number; outcome: Told<unknown> };

/** One race, with what everybody was told, and what the reservation was afterwards. Times are of the host. */
type Race = {
  ids: { reservationId: string; paymentId: string };
  momentMs: number;
  begin: Contender;
  cancel: Contender;
  /** As a buyer reads it once the contenders are through. */
  read: string;
  /** As the schema has it once everybody has swept. */
  stored: string;
};

async function runRaces(
  proof: Proof,
  main: SaleReplica,
  other: SaleReplica,
  { beforeEndMs, judge }: Kind,
): Promise<Finding> {
  const wanted = RACES[proof.size];
  const width = AT_A_TIME[proof.size];
  const events = await Promise.all(Array.from({ length: 8 }, () => openEvent(main, [100_000])));
  const races: Race[] = [];
  let run = 0;
  const onTime = () => races.filter(isOnTime).length;
  while (onTime() < wanted && run < TRIES_PER_RACE * wanted) {
    const count = Math.min(wanted - onTime(), 2_000);
    run += count;
    const batch = proof.random.fork(`races up to ${run}`);
    races.push(
      ...(await pooled(count, width, async (index) => {
        const event = events[index % events.length] as OpenedEvent;
        const random = batch.fork(String(index));
        // The first ones begin one after the other, and so do those that follow them: all through the second.
        if (index < width) await delay((index * SPREAD_MS) / width);
        const offsets = [random.int(-AROUND_MS, AROUND_MS), random.int(-AROUND_MS, AROUND_MS)] as const;
        return race(main, random.chance(0.5) ? main : other, event, beforeEndMs, offsets);
      })),
    );
    if (proof.size === "short") break; // in time or not, each has one winner
  }
  const eventIds = events.map(({ eventId }) => eventId);
  await readStored(proof.office, races, eventIds);
  const { winners, violations } = judgeAll(races, judge);
  await delay(Math.max(0, ...races.map(({ momentMs }) => momentMs + beforeEndMs + 1 - Date.now())));
  violations.push(...(await settle(proof, main, races)));
  violations.push(...(await check(proof, eventIds)));
  if (proof.size === "full" && onTime() < wanted) {
    violations.push(`only ${onTime()} of ${run} races were on time: this machine is too busy for the proof`);
  }
  return { counts: { races: races.length, "within 50 ms": onTime(), ...winners }, violations };
}

async function race(
  main: SaleReplica,
  canceller: SaleReplica,
  event: OpenedEvent,
  beforeEndMs: number,
  [beginOffset, cancelOffset]: readonly [number, number],
): Promise<Race> {
  const { reservation } = await main.buyer.reserve({ eventId: event.eventId, items: itemsOf(event, 1) });
  const ids = { reservationId: reservation?.reservationId ?? "", paymentId: newId() };
  const momentMs = (reservation?.expireTime ? timestampMs(reservation.expireTime) : 0) - beforeEndMs;
  const [begin, cancel] = await Promise.all([
    at(momentMs + beginOffset, () => main.payment.beginPayment(ids)),
    at(momentMs + cancelOffset, () => canceller.buyer.cancelReservation(ids)),
  ]);
  const read = await main.buyer.getReservation(ids);
  return { ids, momentMs, begin, cancel, read: stateNameOf(read.reservation), stored: "" };
}

async function at(timeMs: number, call: () => Promise<unknown>): Promise<Contender> {
  await delay(Math.max(0, timeMs - Date.now()));
  const sentMs = Date.now();
  const outcome = await told(call());
  return { sentMs, answeredMs: Date.now(), outcome };
}

const stateNameOf = (reservation: Reservation | undefined): string =>
  reservation ? stateName(reservation.state) : "nothing";

/** A timer may be a few milliseconds late without spoiling the race. */
const isOnTime = ({ begin, cancel, momentMs }: Race): boolean =>
  [begin, cancel].every(({ sentMs }) => Math.abs(sentMs - momentMs) <= AROUND_MS + 5);

/** Waits until no hold of these events is left that ended, and reads what became of each. */
async function readStored(
  { database }: FaultBoxOffice,
  races: readonly Race[],
  eventIds: readonly string[],
): Promise<void> {
  await until("every hold that ended is swept", 30_000, async () => {
    const text = `
      select 1 from reservation.reservations
      where state = 'HELD' and event_id = any($1::uuid[]) limit 1`;
    return (await database.query({ text, values: [eventIds] })).length === 0;
  });
  const rows = await database.query<{ reservation_id: string; state: string }>({
    text: "select reservation_id, state from reservation.reservations where event_id = any($1::uuid[])",
    values: [eventIds],
  });
  const states = new Map(rows.map((row) => [row.reservation_id, row.state]));
  for (const one of races) one.stored = states.get(one.ids.reservationId) ?? "nothing";
}

function judgeAll(races: readonly Race[], judge: Kind["judge"]) {
  const winners: Record<string, number> = {};
  const violations: string[] = [];
  for (const one of races) {
    const verdict = judge(one);
    const wrong = "wrong" in verdict ? verdict.wrong : punctualityFault(one);
    if ("winner" in verdict) winners[verdict.winner] = (winners[verdict.winner] ?? 0) + 1;
    if (wrong !== undefined) violations.push(`${wrong} (${tellRace(one)})`);
  }
  return { winners, violations };
}

/** What the moment decides, by the names of the schema's states and of the reasons for refusals. */
function judgeAtEnd({ begin, cancel, read, stored }: Race): ReturnType<Kind["judge"]> {
  const [begun, cancelled] = [wordOf(begin.outcome), wordOf(cancel.outcome)];
  const state = `${read} ${stored}`;
  switch (`${begun} ${cancelled}`) {
    case "answered PAYMENT_IN_PROGRESS":
      return state === "PAYING PAYING" ? { winner: "begun" } : { wrong: `a begun payment is ${state}` };
    case "RESERVATION_CANCELLED answered":
      return state === "CANCELLED CANCELLED"
        ? { winner: "cancelled" }
        : { wrong: `a cancelled hold is ${state}` };
    case "RESERVATION_EXPIRED RESERVATION_EXPIRED":
      return state === "EXPIRED EXPIRED" ? { winner: "expired" } : { wrong: `an expired hold is ${state}` };
    default:
      return { wrong: `begin came to ${begun} and cancel to ${cancelled}, and the hold is ${state}` };
  }
}

/** Nobody who cancels is late for it, and a payment that is refused leaves the hold to be cancelled. */
function judgeAtMargin(one: Race): ReturnType<Kind["judge"]> {
  const [begun, cancelled] = [wordOf(one.begin.outcome), wordOf(one.cancel.outcome)];
  if (begun === "RESERVATION_EXPIRING" && cancelled === "answered") {
    const state = `${one.read} ${one.stored}`;
    return state === "CANCELLED CANCELLED"
      ? { winner: "cancelled, begun too late" }
      : { wrong: `a cancelled hold is ${state}` };
  }
  if (begun === "RESERVATION_EXPIRED" || cancelled === "RESERVATION_EXPIRED") {
    // The machine was so busy that a contender came after the hold's very end.
    const isLate = [one.begin, one.cancel].some(({ answeredMs }) => answeredMs >= one.momentMs + 1_000);
    return isLate ? { winner: "after the end" } : { wrong: "a hold ended before its time" };
  }
  return judgeAtEnd(one);
}

/**
 * The database's clock decides, and here it is the host's too: what set out after the moment comes too late, and
 * what was answered before it does not.
 */
function punctualityFault({ begin, cancel, momentMs }: Race): string | undefined {
  for (const [name, { sentMs, answeredMs, outcome }] of Object.entries({ begin, cancel })) {
    const word = wordOf(outcome);
    const isTooLate = word === "RESERVATION_EXPIRED" || word === "RESERVATION_EXPIRING";
    if (isTooLate && answeredMs < momentMs) return `${name} was too late ${momentMs - answeredMs} ms early`;
    if (name === "begin" && word === "answered" && sentMs >= momentMs) {
      return `begin was granted ${sentMs - momentMs} ms after the last moment`;
    }
  }
  return undefined;
}

function tellRace({ ids, momentMs, begin, cancel }: Race): string {
  const tell = ({ sentMs, answeredMs, outcome }: Contender) =>
    `${sentMs - momentMs} to ${answeredMs - momentMs} ms: ${wordOf(outcome)}`;
  return `reservation ${ids.reservationId}, begin ${tell(begin)}, cancel ${tell(cancel)}`;
}

/** Payments under way have outlived their holds: half of them are confirmed, and half fail and end the hold. */
async function settle({ random, size }: Proof, { payment }: SaleReplica, races: readonly Race[]) {
  const paying = races.filter(({ stored }) => stored === "PAYING");
  const violations: string[] = [];
  await pooled(paying.length, AT_A_TIME[size], async (index) => {
    const { ids } = paying[index] as Race;
    const isPaid = random.chance(0.5);
    const outcome = await told<{ reservation?: Reservation | undefined }>(
      isPaid ? payment.confirmPayment(ids) : payment.abortPayment(ids),
    );
    if (outcome.kind !== "answered") {
      violations.push(`${isPaid ? "confirm" : "abort"} of ${ids.reservationId} came to ${wordOf(outcome)}`);
      return;
    }
    const state = stateNameOf(outcome.answer.reservation);
    const wanted = isPaid ? "PAID" : "EXPIRED";
    if (state !== wanted) violations.push(`reservation ${ids.reservationId} is ${state} and not ${wanted}`);
  });
  return violations;
}
