import type { Queryable } from "@boxoffice/platform/database.ts";
import type { Rule } from "./check.ts";

/** What holds between catalog and the sale once every command has been delivered. */
export const AGREEMENT_RULES: readonly Rule[] = [
  async ({ on, eventIds }) => disagreements(on, eventIds && [...eventIds]),
];

/**
 * Where catalog and the sale differ about events that are or were on sale, in words. It does not hold where a
 * refund has kept tickets off sale, of which catalog is not told.
 */
async function disagreements(on: Queryable, eventIds: readonly string[] | null): Promise<string[]> {
  const events = await on.query<EventPair>({ text: EVENT_PAIRS, values: [eventIds] });
  const types = await on.query<TypePair>({ text: TYPE_PAIRS, values: [eventIds] });
  return [...events.flatMap(eventFaults), ...types.flatMap(typeFaults)];
}

type EventPair = {
  eventId: string;
  pending: number;
  deliveredVersion: bigint | null;
  saleVersion: bigint | null;
  startsAt: Date;
  saleStartsAt: Date | null;
  isCancelled: boolean;
  saleIsCancelled: boolean | null;
};

const EVENT_PAIRS = `
  select e.event_id as "eventId", e.starts_at as "startsAt", e.state = 'CANCELLED' as "isCancelled",
    s.version as "saleVersion", s.starts_at as "saleStartsAt", s.is_cancelled as "saleIsCancelled",
    c.pending, c.delivered as "deliveredVersion"
  from catalog.events e
  join (
    select event_id, count(*) filter (where state = 'PENDING')::int as pending,
      max(version) filter (where state = 'DELIVERED') as delivered
    from catalog.commands group by event_id
  ) c using (event_id)
  left join reservation.events s using (event_id)
  where $1::uuid[] is null or e.event_id = any($1)`;

function eventFaults(pair: EventPair): string[] {
  const { eventId, pending, deliveredVersion, saleVersion } = pair;
  const faults: string[] = [];
  if (pending > 0) faults.push(`${pending} of its commands are not answered`);
  if (saleVersion === null)
    return [...faults, "the sale does not know it"].map((fault) => `event ${eventId}: ${fault}`);
  if (deliveredVersion !== saleVersion) {
    faults.push(`version ${deliveredVersion} was delivered last, and the sale has version ${saleVersion}`);
  }
  if (pair.startsAt.getTime() !== pair.saleStartsAt?.getTime()) {
    faults.push(
      `it starts at ${pair.startsAt.toISOString()}, and for the sale at ${pair.saleStartsAt?.toISOString()}`,
    );
  }
  if (pair.isCancelled !== pair.saleIsCancelled) {
    faults.push(
      `catalog ${isOrNot(pair.isCancelled)} cancelled it, and the sale ${isOrNot(pair.saleIsCancelled)}`,
    );
  }
  return faults.map((fault) => `event ${eventId}: ${fault}`);
}

const isOrNot = (is: boolean | null): string => (is ? "has" : "has not");

type TypeSide = Record<string, string | null> | null;
type TypePair = { ticketTypeId: string; catalog: TypeSide; sale: TypeSide };

const COLUMNS = `
  'position', t.position::text, 'name', t.name, 'category', t.category, 'price', t.price_minor::text,
  'quantity', t.quantity::text, 'limit', t.max_per_reservation::text, 'start of sale', t.sales_start::text,
  'end of sale', t.sales_end::text`;

/** Of published events; a draft's types are nobody else's to know. */
const TYPE_PAIRS = `
  with ours as (
    select t.ticket_type_id, jsonb_build_object(${COLUMNS}) as catalog
    from catalog.ticket_types t
    where exists (select 1 from catalog.commands c where c.event_id = t.event_id)
      and ($1::uuid[] is null or t.event_id = any($1))
  ), theirs as (
    select t.ticket_type_id, jsonb_build_object(${COLUMNS}) as sale
    from reservation.ticket_types t
    where exists (select 1 from catalog.events e where e.event_id = t.event_id)
      and ($1::uuid[] is null or t.event_id = any($1))
  )
  select ticket_type_id as "ticketTypeId", catalog, sale
  from ours full join theirs using (ticket_type_id)`;

function typeFaults({ ticketTypeId, catalog, sale }: TypePair): string[] {
  const about = `ticket type ${ticketTypeId}`;
  if (sale === null) return [`${about}: the sale does not know it`];
  if (catalog === null) return [`${about}: catalog does not know it`];
  return Object.keys(catalog)
    .filter((field) => catalog[field] !== sale[field])
    .map((field) => `${about}: its ${field} is ${catalog[field]} in catalog, and ${sale[field]} in the sale`);
}
