-- All tables are made anew: what they hold is derived, and is asked for again from the services that own it. Until
-- then figures are zeros.
--
-- Every table has two generations. One is shown; the other can be built beside it while messages are counted in both,
-- and then be shown instead, or compared and dropped. Each generation is a partition of its own, so that dropping it
-- is a truncate.

drop view stats.ticket_type_figures;
drop table stats.progress, stats.events, stats.ticket_types, stats.reservations, stats.payments,
  stats.ticket_type_counts, stats.event_counts, stats.payment_failures;

-- The schema's only clock.
create function stats.clock() returns timestamptz
  language sql volatile
  as $$ select date_trunc('milliseconds', clock_timestamp()) $$;

-- One row, which every consumer locks before it reads what it is about to replace: messages are counted by one
-- transaction at a time, so counters are exact however many replicas consume.
create table stats.progress (
  is_only boolean primary key default true check (is_only),
  -- The newest time of a change that was counted.
  as_of timestamptz(3),
  -- Rises with every transaction that changed a figure.
  revision bigint not null default 0,
  generation smallint not null default 0 check (generation in (0, 1)),
  -- The other one, while it is built.
  building smallint check (building = 1 - generation),
  -- What the other generation holds is not needed after this.
  clear_after timestamptz(3)
);

insert into stats.progress default values;

create table stats.events (
  generation smallint not null,
  event_id uuid not null,
  version bigint not null check (version > 0),
  name text not null,
  starts_at timestamptz(3) not null,
  time_zone text not null,
  state text not null check (state in ('DRAFT', 'PUBLISHED', 'CANCELLED')),
  primary key (generation, event_id)
) partition by list (generation);

create index events_by_start on stats.events (generation, starts_at, event_id) where state <> 'DRAFT';

create table stats.ticket_types (
  generation smallint not null,
  ticket_type_id uuid not null,
  event_id uuid not null,
  version bigint not null check (version > 0),
  position integer not null,
  name text not null,
  -- Lower-cased and trimmed. Sorted by bytes, so that pages have one order on every server.
  category text collate "C" not null,
  quantity integer not null check (quantity >= 0),
  primary key (generation, ticket_type_id)
) partition by list (generation);

create index ticket_types_of_event on stats.ticket_types (generation, event_id, position, ticket_type_id);
create index ticket_types_of_category on stats.ticket_types (generation, category);

-- The key begins with when the reservation was made, which never changes: new rows stand beside each other in its
-- index, where hashes alone would be strewn all over it.
create table stats.reservations (
  generation smallint not null,
  created_at timestamptz(3) not null,
  reservation_ref uuid not null,
  event_id uuid not null,
  version bigint not null check (version > 0),
  state text not null check (state in ('HELD', 'PAYING', 'PAID', 'EXPIRED', 'CANCELLED')),
  paid_at timestamptz(3),
  closed_at timestamptz(3),
  -- [[ticket type, quantity, unit price in cents], ...]
  items json not null,
  primary key (generation, created_at, reservation_ref)
) partition by list (generation);

create table stats.payments (
  generation smallint not null,
  payment_id uuid not null,
  event_id uuid not null,
  version bigint not null check (version > 0),
  state text not null
    check (state in ('PROCESSING', 'SUCCEEDED', 'FAILED', 'UNKNOWN', 'REFUNDING', 'REFUNDED')),
  failure_reason text not null,
  primary key (generation, payment_id)
) partition by list (generation);

-- Tickets. A type may be counted before it is known.
create table stats.ticket_type_counts (
  generation smallint not null,
  ticket_type_id uuid not null,
  held bigint not null check (held >= 0),
  paid bigint not null check (paid >= 0),
  expired bigint not null check (expired >= 0),
  cancelled bigint not null check (cancelled >= 0),
  refunded bigint not null check (refunded between 0 and cancelled),
  revenue_minor bigint not null check (revenue_minor >= 0),
  primary key (generation, ticket_type_id)
) partition by list (generation);

-- Reservations.
create table stats.event_counts (
  generation smallint not null,
  event_id uuid not null,
  held bigint not null check (held >= 0),
  paid bigint not null check (paid >= 0),
  expired bigint not null check (expired >= 0),
  cancelled bigint not null check (cancelled >= 0),
  ever_paid bigint not null check (ever_paid >= paid),
  primary key (generation, event_id)
) partition by list (generation);

create table stats.payment_failures (
  generation smallint not null,
  event_id uuid not null,
  reason text not null,
  failures bigint not null check (failures >= 0),
  primary key (generation, event_id, reason)
) partition by list (generation);

-- What happened when: by the minute, and by the quarter of an hour, of which the hours and days of every time zone
-- are made. All events together are the event with the id of zeros.
create table stats.timeline (
  generation smallint not null,
  event_id uuid not null,
  minutes smallint not null check (minutes in (1, 15)),
  start_at timestamptz(0) not null,
  reservations bigint not null check (reservations >= 0),
  reserved bigint not null check (reserved >= 0),
  paid bigint not null check (paid >= 0),
  expired bigint not null check (expired >= 0),
  cancelled bigint not null check (cancelled >= 0),
  refunded bigint not null check (refunded >= 0),
  revenue_minor bigint not null check (revenue_minor >= 0),
  refunds_minor bigint not null check (refunds_minor >= 0),
  primary key (generation, event_id, minutes, start_at)
) partition by list (generation);

-- How long reservations took to be paid, in buckets whose bounds grow by a twentieth. All events likewise.
create table stats.pay_times (
  generation smallint not null,
  event_id uuid not null,
  bucket smallint not null check (bucket >= 0),
  reservations bigint not null check (reservations >= 0),
  primary key (generation, event_id, bucket)
) partition by list (generation);

-- Rows of reservations and counters are written again soon: room is left on their pages.
do $$
declare
  name text;
  generation integer;
  room integer;
begin
  for name, room in values ('events', 100), ('ticket_types', 100), ('reservations', 70), ('payments', 100),
    ('ticket_type_counts', 50), ('event_counts', 50), ('payment_failures', 50), ('timeline', 50), ('pay_times', 50)
  loop
    for generation in 0..1 loop
      execute format('create table stats.%1$s_%2$s partition of stats.%1$s for values in (%2$s)
        with (fillfactor = %3$s)', name, generation, room);
    end loop;
  end loop;
end $$;

-- Empties the generation that is neither shown nor built. The service's role may not truncate by itself.
create function stats.clear_idle() returns void
  language plpgsql security definer set search_path = ''
  as $$
declare
  idle integer;
  name text;
begin
  select 1 - generation into strict idle from stats.progress where building is null for update;
  foreach name in array array['events', 'ticket_types', 'reservations', 'payments', 'ticket_type_counts',
    'event_counts', 'payment_failures', 'timeline', 'pay_times']
  loop
    execute format('truncate stats.%s_%s', name, idle);
  end loop;
  update stats.progress set clear_after = null;
end $$;

-- What is shown.
create view stats.live_events as
select e.* from stats.events e where e.generation = (select p.generation from stats.progress p);

create view stats.live_ticket_types as
select t.* from stats.ticket_types t where t.generation = (select p.generation from stats.progress p);

create view stats.live_event_counts as
select c.* from stats.event_counts c where c.generation = (select p.generation from stats.progress p);

create view stats.live_payment_failures as
select f.* from stats.payment_failures f where f.generation = (select p.generation from stats.progress p);

create view stats.live_timeline as
select l.* from stats.timeline l where l.generation = (select p.generation from stats.progress p);

create view stats.live_pay_times as
select t.* from stats.pay_times t where t.generation = (select p.generation from stats.progress p);

-- The known ticket types with their counts.
create view stats.live_figures as
select t.ticket_type_id, t.event_id, t.position, t.name, t.category, t.quantity::bigint as quantity,
  greatest(t.quantity - coalesce(c.held, 0) - coalesce(c.paid, 0), 0) as available,
  coalesce(c.held, 0) as held, coalesce(c.paid, 0) as paid, coalesce(c.expired, 0) as expired,
  coalesce(c.cancelled, 0) as cancelled, coalesce(c.refunded, 0) as refunded,
  coalesce(c.revenue_minor, 0) as revenue_minor
from stats.ticket_types t
left join stats.ticket_type_counts c
  on c.generation = t.generation and c.ticket_type_id = t.ticket_type_id
where t.generation = (select p.generation from stats.progress p);
