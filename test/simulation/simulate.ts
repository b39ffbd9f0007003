import type { Database } from "@boxoffice/platform/database.ts";
import { openSales } from "../../services/reservation/store/sale.ts";
import { findViolations } from "../checker/check.ts";
import type { OpenedEvent } from "../faults/sale.ts";
import type { Backends } from "./backends.ts";
import { Clock } from "./clock.ts";
import { newId } from "./host.ts";
import { People } from "./people.ts";
import { rulesOf } from "./rules.ts";
import type { Turn } from "./scheduler.ts";
import { World } from "./world.ts";

/** What came of one seed. */
export type Simulation = {
  seed: number;
  violations: string[];
  /** Where it was lived through twice, what was not the same. */
  differences: string[];
  /** Everything that happened, in order: the same for the same seed. */
  trace: string[];
  counts: Record<string, number>;
};

/** Within so many turns all is settled, once nothing goes wrong any more. */
const SETTLED_WITHIN_TURNS = 5_000;

/** How far the clock moves at most when it moves for no reason. */
const SMALL_MOVE_MS = 30;

/** When it moves to a moment at which something ends, it is one of the next. */
const NEXT_MOMENTS = 3;

const DAY_MS = 86_400_000;

/** Lives through one schedule: chaos for as long as the plan says, then calm until everything is settled. */
export async function simulate(seed: number, backends: Backends, owner: Database): Promise<Simulation> {
  await backends.clear();
  const deadlocks = backends.deadlocks;
  const world = new World(seed, backends, await Clock.start(backends));
  const event = await putOnSale(world, owner);
  const people = new People(world, event);
  const check = async (when: string) => {
    const found = await findViolations({ database: owner, history: world.history, rules: rulesOf(world) });
    world.violations.push(...found.map((violation) => `${when}: ${violation}`));
  };
  const failed = (error: unknown) =>
    world.violate(`a promise was rejected, and nobody awaited it: ${String(error)}`);
  process.on("unhandledRejection", failed);
  try {
    people.begin();
    await world.scheduler.rest();
    const turns = await chaos(world, people);
    await check("under way");
    const calmTurns = await calm(world, people);
    await check("at the end");
    const entries = world.bank.ledger;
    const counts = {
      turns: turns + calmTurns,
      calls: world.history.calls.length,
      "waits for locks": world.waits,
      deadlocks: backends.deadlocks - deadlocks,
      kills: world.hosts.length - world.alive().length,
      "lost commits": world.faults.lostCommits,
      charges: entries.filter(({ kind }) => kind === "charge").length,
      refunds: entries.filter(({ kind }) => kind === "refund").length,
    };
    return { seed, violations: world.violations, differences: [], trace: world.scheduler.trace, counts };
  } finally {
    await world.end();
    process.off("unhandledRejection", failed);
  }
}

async function putOnSale(world: World, owner: Database): Promise<OpenedEvent> {
  const random = world.random.fork("sale");
  const id = () => newId(world.clock.nowMs, random);
  const event = { eventId: id(), types: world.plan.quantities.map(id) };
  await openSales(
    { database: owner, newId: id },
    {
      eventId: event.eventId,
      version: 1n,
      startsAt: new Date(world.clock.nowMs + DAY_MS),
      ticketTypes: event.types.map((ticketTypeId, position) => ({
        ticketTypeId,
        position,
        name: `Type ${position}`,
        category: "regular",
        priceMinor: BigInt(1_000 + 100 * position),
        quantity: world.plan.quantities[position] ?? 0,
        maxPerReservation: 10,
        salesStart: null,
        salesEnd: null,
      })),
    },
  );
  return event;
}

async function chaos(world: World, people: People): Promise<number> {
  const { plan, scheduler } = world;
  const random = world.random.fork("chaos");
  const perTurn = (count: number) => count / plan.turns;
  let turn = 0;
  for (; turn < plan.turns; turn++) {
    if (random.chance(perTurn(plan.kills))) await world.kill(random.pick(world.alive()));
    if (random.chance(perTurn(plan.stalls))) random.pick(world.alive()).isStalled = true;
    if (random.chance(2 * perTurn(plan.stalls))) for (const host of world.hosts) host.isStalled = false;
    if (random.chance(plan.clockMoves)) await moveClock(world, people, random);
    const ready = scheduler.ready();
    if (ready.length > 0) await scheduler.take(scheduler.choose(ready) as Turn);
    else if (world.hosts.some(({ isStalled }) => isStalled))
      for (const host of world.hosts) host.isStalled = false;
    else await world.moveClock(scheduler.nextTimerMs() ?? 0);
    if (world.violations.length > 0) break;
  }
  return turn;
}

/** A little, to the next timer, or to just before, at or after a moment at which something ends. */
async function moveClock(world: World, people: People, random: World["random"]): Promise<void> {
  const { clock, scheduler } = world;
  const way = random.next();
  if (way < 0.3) return world.moveClock(clock.nowMs + random.int(1, SMALL_MOVE_MS));
  if (way < 0.6) return world.moveClock(scheduler.nextTimerMs() ?? 0);
  const moments = (await momentsOf(world)).slice(0, NEXT_MOMENTS);
  if (moments.length === 0) return;
  await world.moveClock(random.pick(moments) + random.int(-1, 1));
  scheduler.note("the clock moves");
  if (random.chance(0.7)) people.look();
  await scheduler.rest();
}

/** Ends of holds, the last moments to pay for them, and ends of leases, from now on. */
async function momentsOf({ backends, clock, plan }: World): Promise<number[]> {
  const rows = await backends.look<{ ms: string; margin: boolean }>(MOMENTS);
  return rows
    .flatMap(({ ms, margin }) => (margin ? [Number(ms), Number(ms) - plan.payMarginMs] : [Number(ms)]))
    .filter((ms) => ms > clock.nowMs)
    .sort((a, b) => a - b);
}

const MOMENTS = `
  select (extract(epoch from expires_at) * 1000)::bigint as ms, true as margin
  from reservation.reservations where state in ('HELD', 'PAYING')
  union
  select (extract(epoch from lease_until) * 1000)::bigint, false
  from payment.payments where lease_until is not null`;

/** Nothing goes wrong any more, and time passes where nothing else happens, until everything is settled. */
async function calm(world: World, people: People): Promise<number> {
  const { scheduler, faults } = world;
  faults.end();
  for (const host of world.hosts) host.isStalled = false;
  const isOther = ({ kind }: Turn) => kind !== "loop" && kind !== "timer";
  const isTimer = ({ kind }: Turn) => kind === "timer";
  let areResolved = false;
  for (let turn = 0; turn < SETTLED_WITHIN_TURNS; turn++) {
    const others = scheduler.ready(isOther);
    if (others.length > 0) {
      await scheduler.take(scheduler.choose(others) as Turn);
      continue;
    }
    const left = await unsettled(world, people);
    if (left.length === 0) {
      if (areResolved) return turn;
      areResolved = true;
      await resolveUnknown(world, people);
      continue;
    }
    const [due] = [...scheduler.ready(isTimer), ...scheduler.ready((one) => isLoopInUse(world, one))];
    if (due !== undefined) await scheduler.take(due);
    else {
      const next = [...(await momentsOf(world)), scheduler.nextTimerMs(isTimer) ?? Number.POSITIVE_INFINITY];
      const nextMs = Math.min(...next);
      await world.moveClock(Number.isFinite(nextMs) ? nextMs : (scheduler.nextTimerMs() ?? 0));
    }
  }
  world.violate(
    `not settled after ${SETTLED_WITHIN_TURNS} turns: ${(await unsettled(world, people)).join(", ")}`,
  );
  return SETTLED_WITHIN_TURNS;
}

/** One replica's loops are enough to settle everything. */
const isLoopInUse = (world: World, { kind, host }: Turn): boolean =>
  kind === "loop" && host !== undefined && host === world.alive(host.service)[0];

async function unsettled({ backends, bank }: World, people: People): Promise<string[]> {
  const charged = bank.canLookUp ? bank.ledger.map(({ key }) => key) : [];
  const rows = await backends.look<{ what: string }>(UNSETTLED, [charged]);
  const left = rows.map(({ what }) => what);
  return people.busy > 0 ? [...left, `${people.busy} people wait`] : left;
}

const UNSETTLED = `
  select concat_ws(' ', 'payment', right(payment_id::text, 4), state, case when is_abort_pending then 'to abort' end,
    case when is_release_pending then 'to release' end) as what
  from payment.payments
  where state in ('CREATED', 'CHARGING', 'CHARGED', 'REFUND_DUE', 'REFUNDING') or is_abort_pending
    or is_release_pending or (state = 'UNKNOWN' and payment_id = any($1::uuid[]))
  union all
  select 'hold ' || right(reservation_id::text, 4) from reservation.reservations where state = 'HELD'
  union all
  select 'event to release' from reservation.events where is_releasing`;

/** What only an operator can settle: they ask the provider, who has nothing under way any more. */
async function resolveUnknown({ backends, bank, random }: World, people: People): Promise<void> {
  const rows = await backends.look<{ id: string }>(
    "select payment_id as id from payment.payments where state = 'UNKNOWN' order by payment_id",
  );
  for (const { id } of rows) if (random.chance(0.5)) people.resolve(id, bank.isCharged(id));
}
