-- What the other services' messages said last, entity by entity, and counters that are a function of it. Messages
-- arrive twice and in any order, and by different consumers: hence no foreign keys.

-- One row, which every consumer locks before it reads what it is about to replace: messages are counted by one
-- transaction at a time, so counters are exact however many replicas consume.
create table stats.progress (
  is_only boolean primary key default true check (is_only),
  -- The newest time of a change that was counted.
  as_of timestamptz(3)
);

insert into stats.progress default values;

create table stats.events (
  event_id uuid primary key,
  version bigint not null check (version > 0),
  name text not null,
  starts_at timestamptz(3) not null,
  time_zone text not null,
  state text not null check (state in ('DRAFT', 'PUBLISHED', 'CANCELLED'))
);

create index events_by_start on stats.events (starts_at, event_id) where state <> 'DRAFT';

create table stats.ticket_types (
  ticket_type_id uuid primary key,
  event_id uuid not null,
  version bigint not null check (version > 0),
  position integer not null,
  name text not null,
  -- Lower-cased and trimmed. Sorted by bytes, so that pages have one order on every server.
  category text collate "C" not null,
  quantity integer not null check (quantity >= 0)
);

create index ticket_types_of_event on stats.ticket_types (event_id, position, ticket_type_id);
create index ticket_types_of_category on stats.ticket_types (category);

-- A row is written when the reservation is made and again a few times soon after: room is left on its page.
create table stats.reservations (
  reservation_ref bytea primary key check (length(reservation_ref) = 16),
  event_id uuid not null,
  version bigint not null check (version > 0),
  state text not null check (state in ('HELD', 'PAYING', 'PAID', 'EXPIRED', 'CANCELLED')),
  was_paid boolean not null,
  -- [{ ticketTypeId, quantity, unitPriceMinor }]
  items jsonb not null
) with (fillfactor = 70);

create table stats.payments (
  payment_id uuid primary key,
  event_id uuid not null,
  version bigint not null check (version > 0),
  state text not null
    check (state in ('PROCESSING', 'SUCCEEDED', 'FAILED', 'UNKNOWN', 'REFUNDING', 'REFUNDED')),
  failure_reason text not null
);

-- Tickets. A type may be counted before it is known.
create table stats.ticket_type_counts (
  ticket_type_id uuid primary key,
  held bigint not null check (held >= 0),
  paid bigint not null check (paid >= 0),
  expired bigint not null check (expired >= 0),
  cancelled bigint not null check (cancelled >= 0),
  refunded bigint not null check (refunded between 0 and cancelled),
  revenue_minor bigint not null check (revenue_minor >= 0)
) with (fillfactor = 50);

-- Reservations.
create table stats.event_counts (
  event_id uuid primary key,
  held bigint not null check (held >= 0),
  paid bigint not null check (paid >= 0),
  expired bigint not null check (expired >= 0),
  cancelled bigint not null check (cancelled >= 0),
  ever_paid bigint not null check (ever_paid >= paid)
) with (fillfactor = 50);

create table stats.payment_failures (
  event_id uuid not null,
  reason text not null,
  failures bigint not null check (failures >= 0),
  primary key (event_id, reason)
);

-- The known ticket types with their counts.
create view stats.ticket_type_figures as
select t.ticket_type_id, t.event_id, t.position, t.name, t.category, t.quantity::bigint as quantity,
  greatest(t.quantity - coalesce(c.held, 0) - coalesce(c.paid, 0), 0) as available,
  coalesce(c.held, 0) as held, coalesce(c.paid, 0) as paid, coalesce(c.expired, 0) as expired,
  coalesce(c.cancelled, 0) as cancelled, coalesce(c.refunded, 0) as refunded,
  coalesce(c.revenue_minor, 0) as revenue_minor
from stats.ticket_types t
left join stats.ticket_type_counts c using (ticket_type_id);
