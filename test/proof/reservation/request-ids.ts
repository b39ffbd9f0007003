import { itemsOf, newId, type OpenedEvent, openEvent } from "../../faults/sale.ts";
import { check, type Proof, type Property } from "../property.ts";
import { tally, told, wordOf } from "../tally.ts";
import { type SaleReplica, steadyPair } from "./replicas.ts";

const ROUNDS = { full: 100, short: 6 };
const CALLS = 50;

/** The same request id many times at once, at two replicas, for one thing and for several. */
export const requestIds: Property = {
  name: "request-ids",
  says: "a request id sent 50 times at once to two replicas makes one hold, whatever it asks for",
  async prove(proof) {
    const rounds = ROUNDS[proof.size];
    const replicas = await steadyPair(proof.office);
    const events: OpenedEvent[] = [];
    for (let count = 0; count < 4; count++) events.push(await openEvent(replicas[0], [10_000, 10_000]));
    const violations: string[] = [];
    for (let round = 0; round < rounds; round++) {
      // By turns: one wish, wishes for other tickets of the same event, and of other events, in other lanes.
      const wishes = wishesOf(events, round % 3);
      violations.push(...(await sendOften(proof, replicas, wishes)));
    }
    violations.push(
      ...(await check(
        proof,
        events.map(({ eventId }) => eventId),
      )),
    );
    return { counts: { rounds, calls: rounds * CALLS }, violations };
  },
};

type Wish = { eventId: string; items: ReturnType<typeof itemsOf> };

function wishesOf(events: readonly OpenedEvent[], turn: number): Wish[] {
  const [first] = events;
  if (first === undefined) throw new Error("there is an event");
  const wish = (event: OpenedEvent, ...quantities: number[]): Wish => ({
    eventId: event.eventId,
    items: itemsOf(event, ...quantities),
  });
  if (turn === 0) return [wish(first, 1)];
  if (turn === 1) return [wish(first, 1), wish(first, 0, 1), wish(first, 2), wish(first, 1, 1)];
  return events.map((event) => wish(event, 1));
}

async function sendOften(
  { random }: Proof,
  replicas: readonly SaleReplica[],
  wishes: readonly Wish[],
): Promise<string[]> {
  const requestId = newId();
  const outcomes = await Promise.all(
    Array.from({ length: CALLS }, async (_, index) => {
      const { buyer } = replicas[index % replicas.length] as SaleReplica;
      const wish = random.pick(wishes);
      return { wish, outcome: await told(buyer.reserve({ ...wish, requestId })) };
    }),
  );
  const violations: string[] = [];
  const made = new Set<string>();
  const granted = new Set<Wish>();
  for (const { wish, outcome } of outcomes) {
    if (outcome.kind !== "answered") continue;
    made.add(outcome.answer.reservation?.reservationId ?? "");
    granted.add(wish);
  }
  if (made.size !== 1) violations.push(`${made.size} holds were made under request id ${requestId}`);
  const wrong = outcomes.filter(
    ({ wish, outcome }) => wordOf(outcome) !== (granted.has(wish) ? "answered" : "REQUEST_ID_REUSED"),
  );
  if (wrong.length > 0) {
    const words = JSON.stringify(tally(wrong.map(({ outcome }) => wordOf(outcome))));
    violations.push(`calls with request id ${requestId} came to what they should not: ${words}`);
  }
  return violations;
}
