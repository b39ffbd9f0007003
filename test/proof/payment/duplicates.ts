import { newId } from "../../faults/sale.ts";
import type { Finding, Proof, Property } from "../property.ts";
import { tally, told, unexpectedWords, wordOf } from "../tally.ts";
import { checkPayments, inWorld, settle, type World } from "./world.ts";

const ROUNDS = { full: 100, short: 2 };
const CALLS = 50;

/** Everybody in a family presses "pay", some of them often. */
export const duplicates: Property = {
  name: "duplicates",
  says: "a reservation paid 50 times at once at two replicas is charged once, under one request id or many",
  prove: (proof) => inWorld(proof.office, { canLookUp: true }, (world) => prove(proof, world)),
};

async function prove(proof: Proof, world: World): Promise<Finding> {
  const rounds = ROUNDS[proof.size];
  const replicas = [await world.payment("one"), await world.payment("two")] as const;
  const violations: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const reservationId = await world.hold();
    const isSame = round % 2 === 0;
    const requestId = newId();
    const outcomes = await Promise.all(
      Array.from({ length: CALLS }, (_, n) => {
        const order = isSame ? { token: "ok", requestId } : { token: `ok#${n}`, requestId: newId() };
        return told((replicas[n % 2] ?? replicas[0]).buyer.payReservation({ reservationId, ...order }));
      }),
    );
    const words = tally(outcomes.map(wordOf));
    const others = isSame ? [] : ["PAYMENT_IN_PROGRESS", "RESERVATION_ALREADY_PAID"];
    violations.push(...unexpectedWords(words, ["answered", ...others], "payments of one reservation"));
    const wanted = isSame ? CALLS : 1;
    if (words.answered !== wanted) violations.push(`${words.answered} of ${CALLS} calls were answered`);
  }
  violations.push(...(await settle(proof)).violations, ...(await checkPayments(proof, world)));
  const charges = world.charges();
  if (charges !== rounds) violations.push(`${charges} charges for ${rounds} reservations`);
  return { counts: { reservations: rounds, calls: rounds * CALLS, charges }, violations };
}
