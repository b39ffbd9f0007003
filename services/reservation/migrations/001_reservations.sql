-- The schema's only clock. Whatever compares with a time reads it, after the locks are taken, so that a
-- simulation can put another one in its place. Milliseconds, because that is what every column keeps.
create function reservation.clock() returns timestamptz
  language sql volatile
  as $$ select date_trunc('milliseconds', clock_timestamp()) $$;

create table reservation.events (
  event_id uuid primary key,
  -- Of the last command of catalog's that was obeyed.
  version bigint not null check (version > 0),
  starts_at timestamptz(3) not null,
  is_paused boolean not null default false,
  is_cancelled boolean not null default false,
  -- A cancelled event whose holds are being released, a batch at a time.
  is_releasing boolean not null default false,
  changed_at timestamptz(3) not null
);

create index events_releasing on reservation.events (event_id) where is_releasing;

-- The stock. One row is what a whole crowd wants, so it is small and leaves room on its page for its own updates.
create table reservation.ticket_types (
  ticket_type_id uuid primary key,
  event_id uuid not null references reservation.events,
  position integer not null,
  name text not null,
  category text not null,
  price_minor bigint not null check (price_minor >= 0),
  max_per_reservation integer not null check (max_per_reservation > 0),
  sales_start timestamptz(3),
  sales_end timestamptz(3),
  -- Rises with every change of what a ticket of this type is and how many there are.
  definition_version bigint not null default 1,
  quantity integer not null check (quantity between 0 and 10000000),
  available integer not null check (available >= 0),
  held integer not null default 0 check (held >= 0),
  paid integer not null default 0 check (paid >= 0),
  -- Rises with every change of the stock.
  stock_version bigint not null default 1,
  changed_at timestamptz(3) not null,
  constraint stock_adds_up check (quantity = available + held + paid)
) with (fillfactor = 50);

create index ticket_types_of_event on reservation.ticket_types (event_id, position);

-- No foreign keys from here on: they would lock the hot rows once per reservation. A recount finds what they would.
create table reservation.reservations (
  reservation_id uuid primary key,
  event_id uuid not null,
  state text not null check (state in ('HELD', 'PAYING', 'PAID', 'EXPIRED', 'CANCELLED')),
  version integer not null default 1,
  total_minor bigint not null check (total_minor >= 0),
  customer_name text,
  customer_email text,
  request_id uuid,
  request_hash bytea,
  payment_id uuid,
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  paid_at timestamptz(3),
  closed_at timestamptz(3),
  constraint reservations_request_id unique (request_id),
  constraint paying_needs_payment check (state not in ('PAYING', 'PAID') or payment_id is not null),
  constraint held_has_no_payment check (state <> 'HELD' or payment_id is null),
  constraint paid_has_time check (state <> 'PAID' or paid_at is not null),
  constraint closed_has_time check ((state in ('EXPIRED', 'CANCELLED')) = (closed_at is not null)),
  constraint request_has_hash check ((request_id is null) = (request_hash is null))
);

-- Holds in the order in which they end: for the sweeper, and for counting those that ended and are not swept yet.
create index reservations_held on reservation.reservations (expires_at, event_id) where state = 'HELD';
create index reservations_of_event on reservation.reservations (event_id, reservation_id);
create index reservations_by_email on reservation.reservations (lower(customer_email))
  where customer_email is not null;

create table reservation.reservation_items (
  reservation_id uuid not null,
  ticket_type_id uuid not null,
  quantity integer not null check (quantity > 0),
  unit_price_minor bigint not null check (unit_price_minor >= 0),
  primary key (reservation_id, ticket_type_id)
);

-- Payments that can never begin again, also where they never began: their abort may arrive first.
create table reservation.aborted_payments (
  payment_id uuid primary key,
  reservation_id uuid not null,
  aborted_at timestamptz(3) not null
);

create table reservation.outbox (
  outbox_id uuid primary key,
  event_id uuid not null,
  payload bytea not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  published_at timestamptz(3)
);

create index outbox_unpublished on reservation.outbox (outbox_id) where published_at is null;
create index outbox_published on reservation.outbox (published_at) where published_at is not null;
