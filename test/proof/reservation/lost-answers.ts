import { setTimeout as delay } from "node:timers/promises";
import { terminationStorm } from "../../faults/backends.ts";
import { LossyDatabase, type LostWhen } from "../../faults/lost-commit.ts";
import { connectSale, itemsOf, newId, openEvent, type SaleClients } from "../../faults/sale.ts";
import { check, type Finding, type Proof, type Property } from "../property.ts";
import { told, wordOf } from "../tally.ts";
import { steadyPair } from "./replicas.ts";
import { RetryingBuyers } from "./retrying-buyers.ts";

const ROUNDS = { full: 60, short: 4 };
const STORM_MS = { full: 20_000, short: 1_500 };
const STORM_WIDTH = { full: 64, short: 24 };

/** The connection breaks at the very COMMIT, so that nobody but the database knows whether it took place. */
export const lostCommit: Property = {
  name: "lost-commit",
  says: "after a lost answer to COMMIT a repeated request id returns the same hold, and nobody is told a wrong thing",
  async prove(proof) {
    const { office } = proof;
    const [healthy] = await steadyPair(office);
    const lossy = await LossyDatabase.open(office.databaseUrlOf("reservation"));
    const replica = await office.start("reservation", { name: "lossy", databaseUrl: lossy.url });
    try {
      return await loseAnswers(proof, lossy, await connectSale(office, replica), healthy);
    } finally {
      await replica.process.kill();
      await lossy.stop();
    }
  },
};

async function loseAnswers(
  proof: Proof,
  lossy: LossyDatabase,
  victim: SaleClients,
  healthy: SaleClients,
): Promise<Finding> {
  const violations: string[] = [];
  const eventIds: string[] = [];
  const counts = { "lost before": 0, "lost after": 0, answered: 0, unknown: 0 };
  for (let round = 0; round < ROUNDS[proof.size]; round++) {
    const when: LostWhen = round % 2 === 0 ? "after" : "before";
    // Every other pair takes the last tickets there are: deciding again would find none left.
    const isLast = round % 4 < 2;
    const requestId = round % 8 < 4 ? newId() : "";
    const event = await openEvent(healthy, [isLast ? 2 : 100]);
    eventIds.push(event.eventId);
    const request = { eventId: event.eventId, items: itemsOf(event, 2), requestId };
    const lost = lossy.loseCommitOf(event.types[0] ?? "", when);
    const outcome = await told(victim.buyer.reserve(request));
    await lost;
    counts[`lost ${when}`]++;
    if (outcome.kind === "refused") {
      violations.push(`a reserve whose COMMIT was lost ${when} it took place was told ${wordOf(outcome)}`);
      continue;
    }
    counts[outcome.kind]++;
    if (requestId === "") continue;
    const again = await told(healthy.buyer.reserve(request));
    if (again.kind !== "answered") {
      violations.push(`the repetition of a lost reserve came to ${wordOf(again)}`);
    }
  }
  violations.push(...(await check(proof, eventIds)));
  return { counts, violations };
}

/** Connections to the database are ended by the dozen while buyers go on. */
export const terminatedBackends: Property = {
  name: "terminations",
  says: "connections that the database ends in the middle of anything lose no acknowledged hold and no stock",
  async prove(proof) {
    const { office, random, size } = proof;
    const replicas = await steadyPair(office);
    const events = await Promise.all([1, 2, 3, 4].map(() => openEvent(replicas[0], [1_000_000, 1_000_000])));
    const buyers = new RetryingBuyers(replicas, events, random.fork("buyers"));
    const closing = new AbortController();
    const buying = buyers.buy(STORM_WIDTH[size], closing.signal);
    const storm = terminationStorm(office.database, "reservation", random.fork("storm"), closing.signal);
    await delay(STORM_MS[size]);
    closing.abort();
    const terminations = await storm;
    await buying;
    const violations = await buyers.askAgain();
    violations.push(
      ...(await check(
        proof,
        events.map(({ eventId }) => eventId),
      )),
    );
    return { counts: { terminations, ...buyers.counts }, violations };
  },
};
