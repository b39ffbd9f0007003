import type { BoxOffice } from "./box-office.ts";

/** Counts what the reservations that were just written come to, as the statistics' tables hold it. */
const COUNTERS = [
  `insert into stats.ticket_type_counts_0
   select 0, (items->0->>0)::uuid, count(*) filter (where state = 'HELD'), count(*) filter (where state = 'PAID'),
     count(*) filter (where state = 'EXPIRED'), 0, 0, 4900 * count(*) filter (where state = 'PAID')
   from stats.reservations_0 group by 2`,
  `insert into stats.event_counts_0
   select 0, event_id, count(*) filter (where state = 'HELD'), count(*) filter (where state = 'PAID'),
     count(*) filter (where state = 'EXPIRED'), 0, count(*) filter (where state = 'PAID')
   from stats.reservations_0 group by event_id`,
  `insert into stats.payment_failures_0
   select 0, event_id, reason, 100
   from stats.events_0, unnest(array['CARD_DECLINED', 'PAYMENT_FAILED', 'DEPENDENCY_UNAVAILABLE']) reason`,
  `with happened as (
     select event_id, date_trunc('minute', at) as minute, count(*) filter (where what = 'made') as made,
       count(*) filter (where what = 'paid') as paid, count(*) filter (where what = 'EXPIRED') as expired
     from stats.reservations_0, lateral (values ('made', created_at), ('paid', paid_at), (state, closed_at)) e (what, at)
     where at is not null
     group by 1, 2
   )
   insert into stats.timeline_0
   select 0, whose, minutes, start_at, sum(made), sum(made), sum(paid), sum(expired), 0, 0, 4900 * sum(paid), 0
   from happened, lateral (values (event_id), ('00000000-0000-0000-0000-000000000000'::uuid)) owner (whose),
     lateral (values (1, minute), (15, date_bin('15 minutes', minute, 'epoch'))) slot (minutes, start_at)
   group by whose, minutes, start_at`,
  `insert into stats.pay_times_0
   select 0, whose, ceil(ln(extract(epoch from paid_at - created_at)::float8 * 1000) / ln(1.05::float8)), count(*)
   from stats.reservations_0,
     lateral (values (event_id), ('00000000-0000-0000-0000-000000000000'::uuid)) owner (whose)
   where paid_at is not null
   group by 2, 3`,
  "update stats.progress set as_of = stats.clock()",
  "analyze stats.events_0, stats.ticket_types_0, stats.ticket_type_counts_0, stats.event_counts_0, stats.timeline_0, stats.pay_times_0",
];

/** Reservations written by one statement. */
const AT_A_TIME = 500_000;

/**
 * Writes a past into the statistics' own tables: events with three ticket types each, which were sold over 60 days, a
 * third of each in its first four hours. Nine reservations in ten are paid, the others held or expired.
 *
 * @returns the events' ids
 */
export async function fillStatistics(
  { database }: BoxOffice,
  { events, reservations }: { events: number; reservations: number },
): Promise<string[]> {
  await database.query({
    text: `
      insert into stats.events_0
      select 0, gen_random_uuid(), 1, 'Event ' || n, now() + n * interval '1 hour', 'Europe/Berlin', 'PUBLISHED'
      from generate_series(1, $1::int) n`,
    values: [events],
  });
  await database.query({
    text: `
      insert into stats.ticket_types_0
      select 0, gen_random_uuid(), event_id, 1, position, category, category, 10000000
      from stats.events_0, unnest(array['regular', 'premium', 'vip']) with ordinality type (category, position)`,
  });
  for (let written = 0; written < reservations; written += AT_A_TIME) {
    await database.query({
      text: `
        with type as materialized (
          select array_agg(event_id order by ticket_type_id) as events,
            array_agg(ticket_type_id order by ticket_type_id) as types
          from stats.ticket_types_0
        ),
        made as (
          select 1 + mod(n::bigint * 7919, $2::int) as type, now() - interval '60 days'
              + case when mod(n, 3) = 0 then random() * interval '4 hours' else random() * interval '60 days' end as at,
            case when mod(n, 10) > 0 then 'PAID' when mod(n, 20) = 0 then 'HELD' else 'EXPIRED' end as state
          from generate_series(1, $1::int) n
        )
        insert into stats.reservations_0
        select 0, at, gen_random_uuid(), (select events from type)[made.type], 2, state,
          case when state = 'PAID' then at + random() * interval '10 minutes' + interval '1 second' end,
          case when state = 'EXPIRED' then at + interval '15 minutes' end,
          json_build_array(json_build_array((select types from type)[made.type], 1, 4900))
        from made`,
      values: [Math.min(AT_A_TIME, reservations - written), events * 3],
    });
  }
  for (const text of COUNTERS) await database.query({ text });
  const rows = await database.query<{ event_id: string }>({ text: "select event_id from stats.events_0" });
  return rows.map(({ event_id }) => event_id);
}
