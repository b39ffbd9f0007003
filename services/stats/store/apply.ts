import type { Database, Transaction } from "@boxoffice/platform/database.ts";
import { type Changes, newest, replacements, sizeOf } from "../domain/changes.ts";
import { countChanges, failureChanges } from "../domain/counts.ts";
import { addFailures, addPayTimes, addReservations, addTickets, addToTimeline } from "./counters.ts";
import { upsertEvents, upsertPayments, upsertTicketTypes, writeReservations } from "./entities.ts";
import { knownPayments, knownReservations } from "./known.ts";
import { advance, lockProgress } from "./progress.ts";

/**
 * Counts changes in one transaction: keeps the newest version of each entity, and replaces what it contributed to the
 * counters before. Versions not above what is known change nothing, so changes may be applied again, in any order, and
 * by several consumers at once. They are counted in the generation that is shown and in one that is being built.
 *
 * @param seq of the newest message of the stream that they are from, to be remembered; 0 where they are from none
 */
export async function applyChanges(database: Database, changes: Changes, seq = 0): Promise<void> {
  const arrived = newestOf(changes);
  if (sizeOf(arrived) === 0) return;
  await database.transaction(async (tx) => {
    const { generation, building } = await lockProgress(tx);
    await applyTo(tx, generation, arrived);
    if (building !== null) await applyTo(tx, building, arrived);
    advance(tx, arrived.asOf, seq);
  });
}

export const newestOf = (changes: Changes): Changes => ({
  events: newest(changes.events),
  ticketTypes: newest(changes.ticketTypes),
  reservations: newest(changes.reservations),
  payments: newest(changes.payments),
  asOf: changes.asOf,
});

/** The statements that read see what the consumers before us committed, because they come after the lock. */
export async function applyTo(tx: Transaction, generation: number, changes: Changes): Promise<void> {
  const { events, ticketTypes, reservations, payments } = changes;
  upsertEvents(tx, generation, events);
  upsertTicketTypes(tx, generation, ticketTypes);
  const [oldReservations, oldPayments] = await Promise.all([
    knownReservations(tx, generation, reservations),
    knownPayments(tx, generation, payments),
  ]);
  const newReservations = replacements(oldReservations, reservations);
  const newPayments = replacements(oldPayments, payments);
  const counts = countChanges(newReservations);
  writeReservations(tx, generation, newReservations);
  upsertPayments(tx, generation, newPayments);
  addTickets(tx, generation, counts.tickets);
  addReservations(tx, generation, counts.reservations);
  addToTimeline(tx, generation, counts.timeline);
  addPayTimes(tx, generation, counts.payTimes);
  addFailures(tx, generation, failureChanges(newPayments));
}
