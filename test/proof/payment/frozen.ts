import { PaymentOutcome } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { until } from "../../faults/until.ts";
import type { Proof, Property } from "../property.ts";
import { tally, told } from "../tally.ts";
import { checkPayments, endLeases, inWorld, paidWord, settle, statesOf, type World } from "./world.ts";

const PAYMENTS = { full: 40, short: 6 };
const ROUNDS = { full: 5, short: 1 };

/** Longer than it takes to ask for all and to freeze the process, and shorter than the process waits for it. */
const CHARGE_MS = 5_000;
const PROVIDER_TIMEOUT_MS = 15_000;

/** For whatever is waited for: the lease of a charge, above all, which is ten seconds longer than the provider may take. */
const LIMIT_MS = 60_000;

/** A process stops, as when its machine is moved, while the provider takes the money; and then goes on. */
export const frozen: Property = {
  name: "frozen",
  says: "a process frozen in a charge for longer than its lease charges once, and its late success is kept or given back",
  async prove(proof) {
    const violations: string[] = [];
    const words: string[] = [];
    let states: Record<string, number> = {};
    for (const canLookUp of proof.size === "short" ? [false] : [false, true]) {
      await inWorld(proof.office, { canLookUp }, async (world) => {
        for (let round = 0; round < ROUNDS[proof.size]; round++) {
          words.push(...(await freezeInCharge(proof, world, violations, canLookUp)));
        }
        violations.push(...(await settle(proof)).violations, ...(await checkPayments(proof, world)));
        states = add(states, await statesOf(proof, world));
      });
    }
    return { counts: { ...tally(words), ...states }, violations };
  },
};

async function freezeInCharge(
  proof: Proof,
  world: World,
  violations: string[],
  canLookUp: boolean,
): Promise<string[]> {
  const settings = { PROVIDER_TIMEOUT_MS };
  const [stopped, other] = [
    await world.payment("stopped", { settings }),
    await world.payment("other", { settings }),
  ];
  const [asked, charged] = [await world.asked(), world.charges()];
  const reservationIds = await Promise.all(Array.from({ length: PAYMENTS[proof.size] }, () => world.hold()));
  const calls = reservationIds.map((reservationId) =>
    told(stopped.buyer.payReservation({ reservationId, token: `late-${CHARGE_MS}` })),
  );
  const count = reservationIds.length;
  await until("the provider is asked for all", LIMIT_MS, async () => (await world.asked()) === asked + count);
  stopped.process.freeze();
  if (proof.size === "short") await endLeases(proof);
  await until("the provider has charged", LIMIT_MS, () => world.charges() === charged + count);
  const becomes = canLookUp ? "CONFIRMED" : "UNKNOWN";
  const left = async () => paymentsOf(proof, reservationIds, becomes);
  await until("others have taken over", LIMIT_MS, async () => (await left()).length === count);
  const takenForFailed = canLookUp ? [] : (await left()).filter((_, n) => n % 2 === 0);
  for (const paymentId of takenForFailed) {
    await other.operator.resolvePayment({ paymentId, outcome: PaymentOutcome.FAILED, reason: "proof" });
  }
  stopped.process.thaw();
  const outcomes = await Promise.all(calls);
  await until("late successes are kept, or given back", LIMIT_MS, async () => {
    const refunded = await paymentsOf(proof, reservationIds, "REFUNDED");
    const confirmed = await paymentsOf(proof, reservationIds, "CONFIRMED");
    const isBack = takenForFailed.every((paymentId) => refunded.includes(paymentId));
    return isBack && refunded.length + confirmed.length === count;
  }).catch((error: unknown) => violations.push(String(error)));
  // Calls that took too long have opened its breaker: the next round is to meet a process that asks the provider.
  await stopped.process.stop();
  return outcomes.map(paidWord);
}

async function paymentsOf({ office }: Proof, reservationIds: string[], state: string): Promise<string[]> {
  const rows = await office.database.query<{ payment_id: string }>({
    text: `
      select payment_id from payment.payments
      where reservation_id = any($1::uuid[]) and state = $2 order by payment_id`,
    values: [reservationIds, state],
  });
  return rows.map(({ payment_id }) => payment_id);
}

function add(one: Record<string, number>, other: Record<string, number>): Record<string, number> {
  const sum = { ...one };
  for (const [key, count] of Object.entries(other)) sum[key] = (sum[key] ?? 0) + count;
  return sum;
}
