import { join } from "node:path";
import { ROOT } from "../../../local/config.ts";
import { MILESTONES, type Milestone } from "../../../services/payment/domain/milestones.ts";
import type { Finding, Proof, Property } from "../property.ts";
import { told } from "../tally.ts";
import {
  checkPayments,
  endLeases,
  inWorld,
  type PaymentReplica,
  settle,
  statesOf,
  type World,
} from "./world.ts";

/** How often the process is killed after each step. */
const KILLS = { full: 20, short: 1 };
/**
 * To take over comes first: later there are payments of which the provider has never heard, and whoever starts looks
 * them up, and would die of that before it is ready.
 */
const STEPS = {
  full: [
    "taken over",
    ...MILESTONES.filter((milestone) => milestone !== "taken over"),
  ] as readonly Milestone[],
  short: ["charging recorded", "provider answered", "confirmed", "refund recorded"] as readonly Milestone[],
};

/** So many payments are under way when it dies. */
const AT_A_TIME = 4;

const DIES_WITHIN_MS = 60_000;

/** Kills a real process after every step there is, and lets others find what it left. */
export const crashes: Property = {
  name: "crashes",
  says: "whatever step of a payment or a refund a process is killed after, everything is settled within a minute",
  prove: (proof) => inWorld(proof.office, { canLookUp: true }, (world) => prove(proof, world)),
};

async function prove(proof: Proof, world: World): Promise<Finding> {
  const survivor = await world.payment("survivor");
  const violations: string[] = [];
  let kills = 0;
  for (const milestone of STEPS[proof.size]) {
    for (let n = 0; n < KILLS[proof.size]; n++) {
      const hasDied =
        milestone === "taken over"
          ? await killTakingOver(proof, world, survivor, violations)
          : await killIn(world, milestone, await prepare(world, survivor, milestone));
      if (hasDied) kills++;
      else violations.push(`the process did not come to "${milestone}"`);
    }
  }
  if (proof.size === "short") await endLeases(proof);
  const settled = await settle(proof);
  violations.push(...settled.violations, ...(await checkPayments(proof, world)));
  const states = await statesOf(proof, world);
  return { counts: { kills, ...states, "settled after ms": Math.round(settled.ms) }, violations };
}

/** Kills a process that has taken over what another one left, while nobody else is there to take it. */
async function killTakingOver(
  proof: Proof,
  world: World,
  survivor: PaymentReplica,
  violations: string[],
): Promise<boolean> {
  await killIn(world, "begun", await prepare(world, survivor, "begun"));
  survivor.process.freeze();
  try {
    // Not before it serves: what it took over while it started would end it before it is ready.
    return await killIn(world, "taken over", () => [endLeases(proof)]);
  } finally {
    survivor.process.thaw();
    // Or the next one would take over what this one left, before it is ready.
    await endLeases(proof);
    violations.push(...(await settle(proof)).violations);
  }
}

/** Starts a process that dies after a step, and makes it come to it. @returns whether it has died */
async function killIn(
  world: World,
  milestone: Milestone,
  act: (doomed: PaymentReplica) => readonly Promise<unknown>[],
): Promise<boolean> {
  const doomed = await world.payment(`dies after ${milestone}`, {
    entry: join(ROOT, "test", "faults", "payment-that-dies.ts"),
    settings: { KILL_AFTER: milestone },
  });
  const calls = act(doomed);
  const hasDied = await doomed.process.endsWithin(DIES_WITHIN_MS);
  await Promise.all(calls);
  return hasDied;
}

const OF_REFUNDS: readonly Milestone[] = [
  "act recorded",
  "money given back",
  "refund recorded",
  "released",
  "release recorded",
];

/** What makes a process come to a step: payments that succeed or fail, or refunds of those that have succeeded. */
async function prepare(world: World, survivor: PaymentReplica, milestone: Milestone) {
  const reservationIds = await Promise.all(Array.from({ length: AT_A_TIME }, () => world.hold()));
  if (!OF_REFUNDS.includes(milestone)) {
    const token = milestone.startsWith("abort") ? "card_error" : "ok";
    return ({ buyer }: PaymentReplica) =>
      reservationIds.map((reservationId) => told(buyer.payReservation({ reservationId, token })));
  }
  const paid = await Promise.all(
    reservationIds.map((reservationId) => survivor.buyer.payReservation({ reservationId, token: "ok" })),
  );
  return ({ operator }: PaymentReplica) =>
    paid.map(({ payment }) =>
      told(operator.refundPayment({ paymentId: payment?.paymentId ?? "", reason: "proof" })),
    );
}
