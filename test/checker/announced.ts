import type { Books, ReservationBook } from "./books.ts";
import { stateName } from "./state-name.ts";

/**
 * Where what was announced differs from what is: every version of every reservation is announced, with what it
 * says, and the newest announcement of a ticket type has its quantity. What listens can be no better than this.
 */
export function announcementViolations(books: Books): string[] {
  return [...reservationViolations(books), ...typeViolations(books)];
}

function reservationViolations({ reservations, announced }: Books): string[] {
  const refs = new Set([...reservations.values()].map(({ ref }) => ref));
  const strangers = [...announced.reservations.keys()].filter((ref) => !refs.has(ref));
  const violations = strangers.map((ref) => `a reservation was announced that does not exist: ${ref}`);
  for (const reservation of reservations.values()) {
    const wrong = faultsOf(reservation, announced.reservations.get(reservation.ref) ?? []);
    violations.push(...wrong.map((fault) => `reservation ${reservation.reservationId}: ${fault}`));
  }
  return violations;
}

type Announcements = Books["announced"]["reservations"] extends Map<string, infer List> ? List : never;

function faultsOf(reservation: ReservationBook, changes: Announcements): string[] {
  const { version, state, totalMinor, items } = reservation;
  const faults: string[] = [];
  const versions = changes.map((change) => Number(change.version)).sort((a, b) => a - b);
  const wanted = Array.from({ length: version }, (_, index) => index + 1);
  if (versions.join() !== wanted.join()) {
    faults.push(`has version ${version}, and versions ${versions.join(", ") || "none"} were announced`);
  }
  const newest = changes.find((change) => Number(change.version) === version);
  if (newest === undefined) return faults;
  const told = stateName(newest.state);
  if (told !== state) faults.push(`is ${state}, and was announced as ${told}`);
  if (newest.total?.minorUnits !== totalMinor) {
    faults.push(`costs ${totalMinor}, and was announced to cost ${newest.total?.minorUnits}`);
  }
  if (textOf(newest.items) !== textOf(items)) {
    faults.push(`has ${textOf(items)}, and was announced with ${textOf(newest.items)}`);
  }
  return faults;
}

function typeViolations({ types, announced }: Books): string[] {
  return [...types.values()].flatMap(({ ticketTypeId, quantity }) => {
    const changes = (announced.types.get(ticketTypeId) ?? []).toSorted((a, b) =>
      Number(b.version - a.version),
    );
    const told = changes[0]?.quantity;
    if (told === quantity) return [];
    return [`ticket type ${ticketTypeId}: its quantity is ${quantity}, and it was announced as ${told}`];
  });
}

const textOf = (items: readonly { ticketTypeId: string; quantity: number }[]): string =>
  items
    .map(({ ticketTypeId, quantity }) => `${quantity} of ${ticketTypeId}`)
    .sort()
    .join(", ");
