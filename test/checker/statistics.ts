import type { Queryable } from "@boxoffice/platform/database.ts";
import {
  type EventStats,
  type SalesFlow,
  type StatsService,
  TimelineInterval,
} from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";

/**
 * Compares what the statistics answer about some events with a recount of what the other services hold. It makes sense
 * once everything that was announced is counted.
 *
 * @param on the owner's connection, which may read every schema
 */
export async function statisticsViolations(
  on: Queryable,
  stats: Client<typeof StatsService>,
  eventIds: readonly string[],
): Promise<string[]> {
  const violations: string[] = [];
  for (const eventId of eventIds) {
    const [told, types, reservations, failures, minutes] = await Promise.all([
      stats.getEventStats({ eventId }).then(
        ({ eventStats }) => eventStats,
        () => undefined,
      ),
      recountTypes(on, eventId),
      recountReservations(on, eventId),
      recountFailures(on, eventId),
      recountMinutes(on, eventId),
    ]);
    if (told === undefined) {
      violations.push(`event ${eventId}: the statistics know nothing of it`);
      continue;
    }
    const toldMinutes = await timelineOf(stats, eventId, minutes);
    const expected = [...types, ...reservations, ...failures, ...minutes];
    violations.push(
      ...differences(eventId, new Map(expected), new Map([...figuresOf(told), ...toldMinutes])),
    );
  }
  return violations;
}

/** A figure by its name; those that are 0 may be missing. */
type Figure = [name: string, count: number];

function differences(
  eventId: string,
  expected: ReadonlyMap<string, number>,
  told: ReadonlyMap<string, number>,
): string[] {
  const names = new Set([...expected.keys(), ...told.keys()]);
  return [...names]
    .map((name) => ({ name, is: expected.get(name) ?? 0, told: told.get(name) ?? 0 }))
    .filter(({ is, told: count }) => is !== count)
    .map(
      ({ name, is, told: count }) => `event ${eventId}: ${name} is ${is}, and the statistics say ${count}`,
    );
}

const TICKETS = ["quantity", "available", "held", "paid", "expired", "cancelled", "refunded"] as const;
const RESERVATIONS = ["held", "paid", "expired", "cancelled", "everPaid"] as const;

function figuresOf(told: EventStats): Figure[] {
  return [
    ...told.ticketTypes.flatMap((type) => [
      ...TICKETS.map((name): Figure => [`${name} of type ${type.ticketTypeId}`, Number(type[name])]),
      [`revenue of type ${type.ticketTypeId}`, Number(type.revenue?.minorUnits)] satisfies Figure,
    ]),
    ...RESERVATIONS.map((name): Figure => [`reservations ${name}`, Number(told.reservations?.[name] ?? 0)]),
    ...told.paymentFailures.map(({ reason, count }): Figure => [`failures ${reason}`, Number(count)]),
    ["reservations with a time to pay", Number(told.timeToPay?.reservations ?? 0)],
  ];
}

async function recountTypes(on: Queryable, eventId: string): Promise<Figure[]> {
  const rows = await on.query<{ id: string; name: string; count: bigint }>({
    text: `
      with item as (
        select i.ticket_type_id, r.state, r.paid_at, i.quantity, i.quantity * i.unit_price_minor as amount
        from reservation.reservations r join reservation.reservation_items i using (reservation_id)
        where r.event_id = $1
      ),
      counts as (
        select t.ticket_type_id as id, t.quantity,
          coalesce(sum(i.quantity) filter (where i.state in ('HELD', 'PAYING')), 0) as held,
          coalesce(sum(i.quantity) filter (where i.state = 'PAID'), 0) as paid,
          coalesce(sum(i.quantity) filter (where i.state = 'EXPIRED'), 0) as expired,
          coalesce(sum(i.quantity) filter (where i.state = 'CANCELLED'), 0) as cancelled,
          coalesce(sum(i.quantity) filter (where i.state = 'CANCELLED' and i.paid_at is not null), 0) as refunded,
          coalesce(sum(i.amount) filter (where i.state = 'PAID'), 0) as revenue
        from reservation.ticket_types t left join item i using (ticket_type_id)
        where t.event_id = $1
        group by t.ticket_type_id, t.quantity
      )
      select id, name, count::int8 from counts, lateral (values ('quantity', quantity::numeric),
        ('available', quantity - held - paid), ('held', held), ('paid', paid), ('expired', expired),
        ('cancelled', cancelled), ('refunded', refunded), ('revenue', revenue)) figure (name, count)`,
    values: [eventId],
  });
  return rows.map(({ id, name, count }) => [`${name} of type ${id}`, Number(count)]);
}

async function recountReservations(on: Queryable, eventId: string): Promise<Figure[]> {
  const [row] = await on.query<Record<string, bigint>>({
    text: `
      select count(*) filter (where state in ('HELD', 'PAYING')) as held,
        count(*) filter (where state = 'PAID') as paid,
        count(*) filter (where state = 'EXPIRED') as expired,
        count(*) filter (where state = 'CANCELLED') as cancelled,
        count(*) filter (where paid_at is not null) as ever_paid
      from reservation.reservations where event_id = $1`,
    values: [eventId],
  });
  const everPaid = Number(row?.ever_paid ?? 0);
  return [
    ...(["held", "paid", "expired", "cancelled"] as const).map(
      (name): Figure => [`reservations ${name}`, Number(row?.[name] ?? 0)],
    ),
    ["reservations everPaid", everPaid],
    ["reservations with a time to pay", everPaid],
  ];
}

async function recountFailures(on: Queryable, eventId: string): Promise<Figure[]> {
  const rows = await on.query<{ reason: string; count: bigint }>({
    text: `
      select failure_reason as reason, count(*) as count from payment.payments
      where event_id = $1 and state = 'FAILED'
      group by 1`,
    values: [eventId],
  });
  return rows.map(({ reason, count }) => [`failures ${reason}`, Number(count)]);
}

const FLOW = ["reservations", "reserved", "paid", "expired", "cancelled", "refunded"] as const;

async function recountMinutes(on: Queryable, eventId: string): Promise<Figure[]> {
  const rows = await on.query<{ minute: Date } & Record<string, unknown>>({
    text: `
      with reservation as (
        select state, created_at, paid_at, closed_at, total_minor,
          (select sum(quantity) from reservation.reservation_items i where i.reservation_id = r.reservation_id)
            as tickets
        from reservation.reservations r where event_id = $1
      )
      select date_trunc('minute', at) as minute,
        count(*) filter (where what = 'made')::int8 as reservations,
        coalesce(sum(tickets) filter (where what = 'made'), 0)::int8 as reserved,
        coalesce(sum(tickets) filter (where what = 'paid'), 0)::int8 as paid,
        coalesce(sum(tickets) filter (where what = 'EXPIRED'), 0)::int8 as expired,
        coalesce(sum(tickets) filter (where what = 'CANCELLED'), 0)::int8 as cancelled,
        coalesce(sum(tickets) filter (where what = 'CANCELLED' and paid_at is not null), 0)::int8 as refunded,
        coalesce(sum(total_minor) filter (where what = 'paid'), 0)::int8 as revenue,
        coalesce(sum(total_minor) filter (where what = 'CANCELLED' and paid_at is not null), 0)::int8 as refunds
      from reservation,
        lateral (values ('made', created_at), ('paid', paid_at), (state, closed_at)) happened (what, at)
      where at is not null
      group by 1
      order by 1`,
    values: [eventId],
  });
  return rows.flatMap((row) =>
    [...FLOW, "revenue", "refunds"].map(
      (name): Figure => [`${name} in ${row.minute.toISOString()}`, Number(row[name])],
    ),
  );
}

/** What the statistics say of the minutes from the first to the last in which something happened. */
async function timelineOf(
  stats: Client<typeof StatsService>,
  eventId: string,
  minutes: readonly Figure[],
): Promise<Figure[]> {
  const times = minutes.map(([name]) => Date.parse(name.slice(name.indexOf(" in ") + 4)));
  if (times.length === 0) return [];
  const { intervals } = await stats.getSalesTimeline({
    eventId,
    interval: TimelineInterval.MINUTE,
    from: timestampFromMs(Math.min(...times)),
    until: timestampFromMs(Math.max(...times) + 60_000),
  });
  return intervals.flatMap(({ startTime, sales }) => {
    const minute = new Date(startTime ? timestampMs(startTime) : 0).toISOString();
    return flowOf(sales).map(([name, count]): Figure => [`${name} in ${minute}`, count]);
  });
}

const flowOf = (sales: SalesFlow | undefined): Figure[] => [
  ...FLOW.map((name): Figure => [name, Number(sales?.[name] ?? 0)]),
  ["revenue", Number(sales?.revenue?.minorUnits ?? 0)],
  ["refunds", Number(sales?.refunds?.minorUnits ?? 0)],
];
