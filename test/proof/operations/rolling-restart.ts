import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { mintToken, OPERATOR_ROLE } from "@boxoffice/platform/auth/tokens.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { RESERVATION_RULES } from "../../checker/check.ts";
import { paymentRules } from "../../checker/payments.ts";
import type { FaultProcess } from "../../faults/fault-process.ts";
import { type OpenedEvent, untilOnSale } from "../../faults/sale.ts";
import { until } from "../../faults/until.ts";
import { settle } from "../payment/world.ts";
import { check, type Proof, type Property } from "../property.ts";
import { untilExact } from "../statistics/world.ts";
import { tally } from "../tally.ts";
import { type Arrangement, arrange } from "./arrangement.ts";
import { buy, type Crowd, Outcome, operate } from "./buyers.ts";

const BUYERS = { full: 32, short: 16 };

/** How often each process is restarted. */
const ROUNDS = { full: 4, short: 1 };

/** Between a process that is ready again and the next that is told to stop, at random. */
const BETWEEN_MS = { full: [0, 1_500], short: [0, 400] } as const;

/** Calls that may have to be made again while one of two is restarted: those on a connection that is just closing. */
const MADE_AGAIN = 2;

const CALM_WITHIN_MS = 30_000;

/** The short form restarts those that have most to lose; the last is one that callers have to wait for. */
const IN_SHORT = ["gateway 1", "reservation 1", "payment"];

/**
 * How long one is away of which there is no second is the machine's affair where other tests run beside this one: there
 * callers are more patient than the pages are.
 */
const PATIENCE_MS = { full: 0, short: 60_000 };

const isOneOfTwo = (name: string): boolean => / \d$/.test(name);

const STOP_WITHIN_MS = 15_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** Each process is told to stop, and started again when it has, while the crowd buys. */
export const rollingRestart: Property = {
  name: "rolling-restart",
  says: "each process of docker-compose.yml in turn ends within 15 s of SIGTERM under load, and no call that may be made again fails",
  async prove(proof) {
    const { office, random, size } = proof;
    const arrangement = await arrange(office, random.fork("network"));
    try {
      const keyFile = join(office.folder, `${OPERATOR_ROLE}.key`);
      const operatorToken = await mintToken({
        privateKeyFile: keyFile,
        role: OPERATOR_ROLE,
        subject: "proof",
        ttlSeconds: 3_600,
      });
      const events = await openEvents(proof, arrangement);
      const closing = new AbortController();
      const { door } = arrangement;
      const { history } = office;
      const crowd: Crowd = { door, operatorToken, history, events, closing: closing.signal };
      const outcome = new Outcome(PATIENCE_MS[size]);
      const going = Promise.all([
        ...Array.from({ length: BUYERS[size] }, (_, index) =>
          buy(crowd, index + 1, random.fork(`buyer ${index}`), outcome),
        ),
        operate(crowd, BUYERS[size] + 1, random.fork("operator"), outcome),
      ]);
      const restarts = random.fork("restarts");
      const [leastMs, mostMs] = BETWEEN_MS[size];
      const stops: Stop[] = [];
      try {
        for (let round = 0; round < ROUNDS[size]; round++) {
          const turns = size === "full" ? restarts.shuffle([...arrangement.replicas.keys()]) : IN_SHORT;
          for (const name of turns) {
            await delay(restarts.int(leastMs, mostMs));
            stops.push(await restart(name, arrangement.replicas.get(name), outcome));
          }
        }
        await delay(mostMs);
      } finally {
        closing.abort();
        await going;
      }
      return {
        counts: {
          restarts: stops.length,
          calls: outcome.calls,
          "made again": outcome.reasons.length,
          "of these while one of two was away": stops
            .filter(({ name }) => isOneOfTwo(name))
            .reduce((sum, { madeAgain }) => sum + madeAgain.length, 0),
          "failed calls": outcome.failures.length,
          "slowest call in ms": Math.round(outcome.slowestMs),
          "slowest stop in ms": Math.round(Math.max(...stops.map(({ tookMs }) => tookMs))),
          [`through ${arrangement.proxy}`]: 1,
        },
        violations: [
          ...outcome.failures,
          ...stops.flatMap(stopViolations),
          ...(await booksViolations(proof, arrangement, events)),
        ],
      };
    } finally {
      await arrangement.stop();
    }
  },
};

type Stop = { name: string; end: string; tookMs: number; calls: number; madeAgain: string[] };

async function restart(name: string, process: FaultProcess | undefined, outcome: Outcome): Promise<Stop> {
  if (process === undefined) throw new Error(`docker-compose.yml describes no ${name}`);
  // What had to wait for the process before has nothing to do with this one.
  await until("every call is answered at its first try", CALM_WITHIN_MS, () => outcome.repeating === 0);
  const before = { calls: outcome.calls, madeAgain: outcome.reasons.length };
  const startedAtMs = performance.now();
  const end = await process.stop();
  const tookMs = performance.now() - startedAtMs;
  await process.start();
  return {
    name,
    end,
    tookMs,
    calls: outcome.calls - before.calls,
    madeAgain: outcome.reasons.slice(before.madeAgain),
  };
}

function stopViolations({ name, end, tookMs, calls, madeAgain }: Stop): string[] {
  const violations = end === "exit code 0" ? [] : [`${name} ended with ${end}`];
  if (tookMs > STOP_WITHIN_MS) violations.push(`${name} took ${Math.round(tookMs)} ms to stop`);
  if (isOneOfTwo(name) && madeAgain.length > MADE_AGAIN) {
    const why = Object.entries(tally(madeAgain)).map(([reason, count]) => `${count} ${reason}`);
    violations.push(
      `${madeAgain.length} of ${calls} calls had to be made again for ${name}: ${why.join("; ")}`,
    );
  }
  return violations;
}

/** Events with more tickets than anybody buys, on sale. */
async function openEvents({ office }: Proof, { grpcDoor }: Arrangement): Promise<OpenedEvent[]> {
  const catalog = await office.connect(CatalogService, grpcDoor("catalog"), OPERATOR_ROLE);
  const sale = await office.connect(ReservationService, grpcDoor("reservation"));
  const type = (name: string, cents: bigint) => ({
    name,
    price: { currencyCode: "EUR", minorUnits: cents },
    quantity: 1_000_000,
    maxPerReservation: 10,
  });
  return Promise.all(
    ["One", "Two", "Three"].map(async (name) => {
      const { event } = await catalog.createEvent({
        event: {
          name,
          startsAt: timestampFromMs(Date.now() + DAY_MS),
          timeZone: "Europe/Berlin",
          ticketTypes: [type("Standing", 1_000n), type("Seat", 5_000n)],
        },
      });
      const eventId = event?.eventId ?? "";
      await catalog.publishEvent({ eventId });
      await untilOnSale(sale, eventId);
      return { eventId, types: (event?.ticketTypes ?? []).map(({ ticketTypeId }) => ticketTypeId) };
    }),
  );
}

/** Whether the books of reservation, payment, provider and statistics agree with each other and with what was told. */
async function booksViolations(
  proof: Proof,
  { grpcDoor, ledger }: Arrangement,
  events: readonly OpenedEvent[],
): Promise<string[]> {
  const { office } = proof;
  const eventIds = events.map(({ eventId }) => eventId);
  const settled = await settle(proof);
  const rules = [...RESERVATION_RULES, ...paymentRules(ledger)];
  const books = await check(proof, eventIds, rules);
  const statistics = await office.connect(StatsService, grpcDoor("stats"), OPERATOR_ROLE);
  const { violations } = await untilExact({ office, statistics }, eventIds);
  return [...settled.violations, ...books, ...violations];
}
