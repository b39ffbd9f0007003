import { setTimeout as delay } from "node:timers/promises";
import { openEvent } from "../../faults/sale.ts";
import { check, type Property } from "../property.ts";
import { steadyPair } from "./replicas.ts";
import { RetryingBuyers } from "./retrying-buyers.ts";

const ROUNDS = { full: 40, short: 2 };
const WIDTH = { full: 64, short: 24 };

/** Long enough for batches to be under way when the blow falls. */
const BETWEEN_MS = [100, 700] as const;
const FROZEN_MS = [200, 1_500] as const;

/** A replica is killed, or frozen for a while with its locks held, while buyers go on at both. */
export const killedReplica: Property = {
  name: "killed-replica",
  says: "a replica killed with -9 or frozen in the middle of batches loses no acknowledged hold and no stock",
  async prove(proof) {
    const { office, random, size } = proof;
    const replicas = await steadyPair(office);
    const events = await Promise.all([1, 2, 3, 4].map(() => openEvent(replicas[0], [1_000_000, 1_000_000])));
    const buyers = new RetryingBuyers(replicas, events, random.fork("buyers"));
    const closing = new AbortController();
    const buying = buyers.buy(WIDTH[size], closing.signal);
    const faults = random.fork("faults");
    const counts = { kills: 0, freezes: 0 };
    for (let round = 0; round < ROUNDS[size]; round++) {
      await delay(faults.int(...BETWEEN_MS));
      const { process } = faults.pick(replicas);
      if (round === 0 || faults.chance(0.75)) {
        counts.kills++;
        await process.kill();
        await process.start();
      } else {
        counts.freezes++;
        process.freeze();
        await delay(faults.int(...FROZEN_MS));
        process.thaw();
      }
    }
    closing.abort();
    await buying;
    const violations = await buyers.askAgain();
    violations.push(
      ...(await check(
        proof,
        events.map(({ eventId }) => eventId),
      )),
    );
    return { counts: { ...counts, ...buyers.counts }, violations };
  },
};
