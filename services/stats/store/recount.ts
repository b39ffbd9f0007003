import type { Database, Queryable } from "@boxoffice/platform/database.ts";
import type { Difference } from "../domain/compare.ts";
import { ALL_EVENTS } from "../domain/flow.ts";
import { shownGeneration } from "./progress.ts";

/** Millions of reservations are read by one statement. */
const STATEMENT_TIMEOUT = "30min";

/** So many differences of a kind are told. */
const TOLD = 100;

/**
 * Counts what is kept of reservations and payments again, in SQL and from what the words mean, and compares it with
 * the counters that are shown. All of it is of one moment, while changes are counted.
 */
export function recount(database: Database): Promise<Difference[]> {
  return database.transaction(async (tx) => {
    await tx.query({ text: "set transaction isolation level repeatable read, read only" });
    await tx.query({ text: `set local statement_timeout = '${STATEMENT_TIMEOUT}'` });
    const generation = await shownGeneration(tx);
    const differences: Difference[] = [];
    for (const counters of COUNTERS) differences.push(...(await differencesIn(tx, counters, generation)));
    return differences;
  });
}

/** Reservations made before `before`, as they are kept. */
export async function countReservations(database: Database, before: Date): Promise<bigint> {
  return database.transaction(async (tx) => {
    await tx.query({ text: `set local statement_timeout = '${STATEMENT_TIMEOUT}'` });
    const generation = await shownGeneration(tx);
    const [row] = await tx.query<{ count: bigint }>({
      text: `select count(*) as count from stats.reservations_${generation} where created_at < $1`,
      values: [before],
    });
    return row?.count ?? 0n;
  });
}

/** The time by the database's clock. */
export async function readClock(on: Queryable): Promise<Date> {
  const [row] = await on.query<{ now: Date }>({ text: "select stats.clock() as now" });
  return row?.now ?? new Date(0);
}

type Counters = {
  subject: string;
  fields: readonly string[];
  /** Queries of `key`, which tells the counters apart, and the fields, from the tables of a generation. */
  recounted: (generation: number) => string;
  counters: (generation: number) => string;
};

const COUNTERS: readonly Counters[] = [
  {
    subject: "ticket type",
    fields: ["held", "paid", "expired", "cancelled", "refunded", "revenue_minor"],
    recounted: (generation) => `
      select item->>0 as key,
        sum(quantity) filter (where state in ('HELD', 'PAYING')) as held,
        sum(quantity) filter (where state = 'PAID') as paid,
        sum(quantity) filter (where state = 'EXPIRED') as expired,
        sum(quantity) filter (where state = 'CANCELLED') as cancelled,
        sum(quantity) filter (where state = 'CANCELLED' and paid_at is not null) as refunded,
        sum(quantity * (item->>2)::int8) filter (where state = 'PAID') as revenue_minor
      from stats.reservations_${generation}, json_array_elements(items) item,
        lateral (select (item->>1)::int8 as quantity) of_item
      group by 1`,
    counters: (generation) => `
      select ticket_type_id::text as key, held, paid, expired, cancelled, refunded, revenue_minor
      from stats.ticket_type_counts_${generation}`,
  },
  {
    subject: "event's reservations",
    fields: ["held", "paid", "expired", "cancelled", "ever_paid"],
    recounted: (generation) => `
      select event_id::text as key,
        count(*) filter (where state in ('HELD', 'PAYING')) as held,
        count(*) filter (where state = 'PAID') as paid,
        count(*) filter (where state = 'EXPIRED') as expired,
        count(*) filter (where state = 'CANCELLED') as cancelled,
        count(*) filter (where state = 'PAID' or paid_at is not null) as ever_paid
      from stats.reservations_${generation}
      group by 1`,
    counters: (generation) => `
      select event_id::text as key, held, paid, expired, cancelled, ever_paid
      from stats.event_counts_${generation}`,
  },
  {
    subject: "event's failed payments",
    fields: ["failures"],
    recounted: (generation) => `
      select event_id || ' ' || failure_reason as key, count(*) as failures
      from stats.payments_${generation}
      where state = 'FAILED'
      group by 1`,
    counters: (generation) => `
      select event_id || ' ' || reason as key, failures from stats.payment_failures_${generation}`,
  },
  {
    subject: "timeline",
    fields: [
      "reservations",
      "reserved",
      "paid",
      "expired",
      "cancelled",
      "refunded",
      "revenue_minor",
      "refunds_minor",
    ],
    recounted: (generation) => `
      with reservation as materialized (
        select event_id, state, created_at, paid_at, closed_at, tickets, amount
        from stats.reservations_${generation}, lateral (
          select sum((item->>1)::int8) as tickets, sum((item->>1)::int8 * (item->>2)::int8) as amount
          from json_array_elements(items) item
        ) of_reservation
      ),
      by_minute as materialized (
        select event_id, date_trunc('minute', at) as minute,
          count(*) filter (where what = 'made') as reservations,
          sum(tickets) filter (where what = 'made') as reserved,
          sum(tickets) filter (where what = 'paid') as paid,
          sum(tickets) filter (where what = 'EXPIRED') as expired,
          sum(tickets) filter (where what = 'CANCELLED') as cancelled,
          sum(tickets) filter (where what = 'CANCELLED' and paid_at is not null) as refunded,
          sum(amount) filter (where what = 'paid') as revenue_minor,
          sum(amount) filter (where what = 'CANCELLED' and paid_at is not null) as refunds_minor
        from reservation, lateral (
          values ('made', created_at), ('paid', paid_at), (state, closed_at)
        ) happened (what, at)
        where at is not null
        group by 1, 2
      )
      select concat_ws(' ', whose, minutes, extract(epoch from start_at)::int8) as key,
        sum(reservations) as reservations, sum(reserved) as reserved, sum(paid) as paid,
        sum(expired) as expired, sum(cancelled) as cancelled, sum(refunded) as refunded,
        sum(revenue_minor) as revenue_minor, sum(refunds_minor) as refunds_minor
      from by_minute,
        lateral (values (event_id), ('${ALL_EVENTS}'::uuid)) owner (whose),
        lateral (values (1, minute), (15, date_bin('15 minutes', minute, 'epoch'))) slot (minutes, start_at)
      group by 1`,
    counters: (generation) => `
      select concat_ws(' ', event_id, minutes, extract(epoch from start_at)::int8) as key, reservations,
        reserved, paid, expired, cancelled, refunded, revenue_minor, refunds_minor
      from stats.timeline_${generation}`,
  },
  {
    subject: "time to pay",
    fields: ["reservations"],
    recounted: (generation) => `
      select whose || ' ' || bucket as key, count(*) as reservations
      from stats.reservations_${generation},
        lateral (select extract(epoch from paid_at - created_at)::float8 * 1000 as ms) took,
        lateral (select case when ms <= 1 then 0
          else ceil(ln(least(ms, 100 * 24 * 3600 * 1000::float8)) / ln(1.05::float8)) end as bucket) of_time,
        lateral (values (event_id), ('${ALL_EVENTS}'::uuid)) owner (whose)
      where paid_at is not null
      group by 1`,
    counters: (generation) => `
      select event_id || ' ' || bucket as key, reservations from stats.pay_times_${generation}`,
  },
];

async function differencesIn(
  on: Queryable,
  { subject, fields, recounted, counters }: Counters,
  generation: number,
): Promise<Difference[]> {
  const differs = fields.map((field) => `coalesce(c.${field}, 0) <> coalesce(r.${field}, 0)`);
  const columns = fields.map(
    (field) =>
      `coalesce(c.${field}, 0)::text as counted_${field}, coalesce(r.${field}, 0)::text as expected_${field}`,
  );
  const rows = await on.query<Record<string, string>>({
    text: `
      with r as (${recounted(generation)}), c as (${counters(generation)})
      select coalesce(c.key, r.key) as id, ${columns.join(", ")}
      from c full join r on c.key = r.key
      where ${differs.join(" or ")}
      limit ${TOLD}`,
  });
  return rows.flatMap((row) =>
    fields
      .map((field) => ({
        subject,
        id: row.id ?? "",
        field,
        counted: row[`counted_${field}`] ?? "",
        expected: row[`expected_${field}`] ?? "",
      }))
      .filter(({ counted, expected }) => counted !== expected),
  );
}
