import { itemsOf, type OpenedEvent, openEvent } from "../../faults/sale.ts";
import { check, type Proof, type Property } from "../property.ts";
import { tally, told, unexpectedWords, wordOf } from "../tally.ts";
import { type SaleReplica, steadyPair } from "./replicas.ts";

const SIZES = {
  full: { tickets: 500, buyers: 5_000, wishes: 3_000 },
  short: { tickets: 100, buyers: 600, wishes: 300 },
};

/** Everybody comes at once, to two replicas, for fewer tickets than there are people. */
export const crowd: Property = {
  name: "crowd",
  says: "a crowd at two replicas gets every ticket there is, and not one more",
  async prove(proof) {
    const { tickets, buyers, wishes } = SIZES[proof.size];
    const replicas = await steadyPair(proof.office);
    const single = await openEvent(replicas[0], [tickets]);
    const outcomes = await Promise.all(
      Array.from({ length: buyers }, (_, index) => {
        const { buyer } = replicas[index % 2] as SaleReplica;
        return told(buyer.reserve({ eventId: single.eventId, items: itemsOf(single, 1) }));
      }),
    );
    const counts = tally(outcomes.map(wordOf));
    const sold = counts.answered ?? 0;
    const violations = unexpectedWords(counts, ["answered", "SOLD_OUT"], "buyers of one ticket");
    if (sold !== tickets) violations.push(`${sold} of ${tickets} tickets were sold to ${buyers} buyers`);
    const mixed = await openEvent(replicas[0], [tickets, tickets, Math.ceil(tickets / 5)]);
    violations.push(...(await wishForSeveral(proof, replicas, mixed, wishes)));
    violations.push(...(await check(proof, [single.eventId, mixed.eventId])));
    return { counts: { buyers, sold, oversold: Math.max(0, sold - tickets), wishes }, violations };
  },
};

/**
 * Wishes for several tickets of several types. As nothing is given back, who was refused for want of tickets could
 * not be granted at the end either: otherwise tickets stood unsold that somebody had asked for.
 */
async function wishForSeveral(
  { random }: Proof,
  replicas: readonly SaleReplica[],
  event: OpenedEvent,
  wishes: number,
): Promise<string[]> {
  const outcomes = await Promise.all(
    Array.from({ length: wishes }, async () => {
      const quantities = event.types.map(() => random.int(0, 3));
      const items = itemsOf(event, ...quantities);
      if (items.length === 0) items.push(...itemsOf(event, 1));
      const call = random.pick(replicas).buyer.reserve({ eventId: event.eventId, items });
      return { items, outcome: await told(call) };
    }),
  );
  const words = tally(outcomes.map(({ outcome }) => wordOf(outcome)));
  const violations = unexpectedWords(words, ["answered", "SOLD_OUT"], "wishes for several tickets");
  const { ticketTypes } = await random.pick(replicas).buyer.getAvailability({ eventId: event.eventId });
  const left = new Map(ticketTypes.map((type) => [type.ticketTypeId, type.available]));
  const forNothing = outcomes.filter(
    ({ items, outcome }) =>
      wordOf(outcome) === "SOLD_OUT" &&
      items.every(({ ticketTypeId, quantity }) => quantity <= (left.get(ticketTypeId) ?? 0)),
  );
  if (forNothing.length > 0) {
    violations.push(`${forNothing.length} wishes were refused as sold out, and can be granted at the end`);
  }
  return violations;
}
