import type { Reservation, Versioned } from "./changes.ts";

/** Something that is counted otherwise than it is. Ids are those of events, ticket types and payments, or refs. */
export type Difference = { subject: string; id: string; field: string; counted: string; expected: string };

/** What the other services have, compared with what is known of it. */
export type Comparison<Entity> = {
  /** Newer there than here: on its way, or lost. */
  behind: Entity[];
  /** The same version says something else here than there. */
  differences: Difference[];
};

/**
 * Compares entities with what is known of them. A newer version here is no difference: it was announced after the
 * older one was read.
 */
export function compare<Entity extends Versioned>(
  subject: string,
  exported: readonly Entity[],
  known: readonly Entity[],
): Comparison<Entity> {
  const byId = new Map(known.map((entity) => [entity.id, entity]));
  const behind: Entity[] = [];
  const differences: Difference[] = [];
  for (const entity of exported) {
    const here = byId.get(entity.id);
    if (here === undefined || here.version < entity.version) behind.push(entity);
    else if (here.version === entity.version) differences.push(...fieldsThatDiffer(subject, here, entity));
  }
  return { behind, differences };
}

/** The difference that is left of an entity which never arrived. */
export function lost(subject: string, entity: Versioned, knownVersion: bigint | undefined): Difference {
  const counted = knownVersion === undefined ? "nothing" : String(knownVersion);
  return { subject, id: entity.id, field: "version", counted, expected: String(entity.version) };
}

function fieldsThatDiffer<Entity extends Versioned>(
  subject: string,
  here: Entity,
  there: Entity,
): Difference[] {
  return (Object.keys(there) as (keyof Entity & string)[])
    .map((field) => ({
      subject,
      id: there.id,
      field,
      counted: textOf(here[field]),
      expected: textOf(there[field]),
    }))
    .filter(({ counted, expected }) => counted !== expected);
}

function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (!Array.isArray(value)) return String(value);
  const items = value as Reservation["items"];
  return items
    .map(({ ticketTypeId, quantity, unitPriceMinor }) => `${ticketTypeId}:${quantity}:${unitPriceMinor}`)
    .sort()
    .join(" ");
}
