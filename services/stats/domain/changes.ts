export const EVENT_STATES = ["DRAFT", "PUBLISHED", "CANCELLED"] as const;
export type EventState = (typeof EVENT_STATES)[number];

export const RESERVATION_STATES = ["HELD", "PAYING", "PAID", "EXPIRED", "CANCELLED"] as const;
export type ReservationState = (typeof RESERVATION_STATES)[number];

export const PAYMENT_STATES = [
  "PROCESSING",
  "SUCCEEDED",
  "FAILED",
  "UNKNOWN",
  "REFUNDING",
  "REFUNDED",
] as const;
export type PaymentState = (typeof PAYMENT_STATES)[number];

/** An entity as a change carries it: whole, under a version that rises with each of its changes. */
export type Versioned = { id: string; eventId: string; version: bigint };

export type Event = Versioned & { name: string; startsAt: Date; timeZone: string; state: EventState };

export type TicketType = Versioned & { position: number; name: string; category: string; quantity: number };

/** Its id is its `reservation_ref`. Times are milliseconds since the epoch. */
export type Reservation = Versioned & {
  state: ReservationState;
  /** Never changes. */
  createdMs: number;
  /** Stays set when the money was given back. */
  paidMs: number | null;
  /** When it became EXPIRED or CANCELLED. */
  closedMs: number | null;
  items: readonly ReservedItem[];
};

export type ReservedItem = { ticketTypeId: string; quantity: number; unitPriceMinor: number };

/** `failureReason` is set with FAILED. */
export type Payment = Versioned & { state: PaymentState; failureReason: string };

/** What some messages said. */
export type Changes = {
  events: Event[];
  ticketTypes: TicketType[];
  reservations: Reservation[];
  payments: Payment[];
  /** When the newest of these changes was made; null where no message told. */
  asOf: Date | null;
};

export const noChanges = (): Changes => ({
  events: [],
  ticketTypes: [],
  reservations: [],
  payments: [],
  asOf: null,
});

/** How many entities there are. */
export const sizeOf = ({ events, ticketTypes, reservations, payments }: Changes): number =>
  events.length + ticketTypes.length + reservations.length + payments.length;

/** Adds `more` to `changes`. */
export function mergeChanges(changes: Changes, more: Changes): void {
  changes.events.push(...more.events);
  changes.ticketTypes.push(...more.ticketTypes);
  changes.reservations.push(...more.reservations);
  changes.payments.push(...more.payments);
  if (more.asOf !== null && more.asOf > (changes.asOf ?? 0)) changes.asOf = more.asOf;
}

/** Of each entity the newest version among some, which may repeat each other in any order. */
export function newest<Entity extends Versioned>(entities: readonly Entity[]): Entity[] {
  const byId = new Map<string, Entity>();
  for (const entity of entities) {
    const other = byId.get(entity.id);
    if (other === undefined || other.version < entity.version) byId.set(entity.id, entity);
  }
  return [...byId.values()];
}

/** An entity that takes the place of its older version, or of nothing. */
export type Replacement<Entity> = { before: Entity | undefined; after: Entity };

/** Of `arrived`, one version per entity, what is newer than what is known of it. All else changes nothing. */
export function replacements<Entity extends Versioned>(
  known: readonly Entity[],
  arrived: readonly Entity[],
): Replacement<Entity>[] {
  const byId = new Map(known.map((entity) => [entity.id, entity]));
  return arrived
    .map((after) => ({ before: byId.get(after.id), after }))
    .filter(({ before, after }) => before === undefined || before.version < after.version);
}

/** The category by which statistics group: "VIP " and "vip" are one. */
export const categoryKey = (category: string): string => category.trim().toLowerCase();
