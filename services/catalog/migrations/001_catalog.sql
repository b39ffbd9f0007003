-- The schema's only clock. Whatever compares with a time reads it, after the locks are taken, so that a
-- simulation can put another one in its place. Milliseconds, because that is what every column keeps.
create function catalog.clock() returns timestamptz
  language sql volatile
  as $$ select date_trunc('milliseconds', clock_timestamp()) $$;

create table catalog.events (
  event_id uuid primary key,
  -- Rises with every change of the event or of one of its ticket types. Whoever changes either locks this row first.
  version bigint not null check (version > 0),
  name text not null check (name <> ''),
  description text not null,
  venue text not null,
  starts_at timestamptz(3) not null,
  time_zone text not null check (time_zone <> ''),
  state text not null check (state in ('DRAFT', 'PUBLISHED', 'CANCELLED')),
  changed_at timestamptz(3) not null
);

create index events_by_start on catalog.events (starts_at, event_id);

create table catalog.ticket_types (
  ticket_type_id uuid primary key,
  event_id uuid not null references catalog.events,
  -- The place in the event's list, from 0.
  position integer not null check (position >= 0),
  name text not null check (name <> ''),
  -- The name in lower case, as the domain writes it: two types of an event never differ in case only.
  name_key text not null,
  category text not null check (category <> ''),
  price_minor bigint not null check (price_minor >= 0),
  quantity integer not null check (quantity between 0 and 10000000),
  max_per_reservation integer not null check (max_per_reservation > 0),
  sales_start timestamptz(3),
  sales_end timestamptz(3),
  constraint ticket_types_position unique (event_id, position),
  constraint ticket_types_name unique (event_id, name_key),
  constraint sale_starts_before_its_end check (sales_start < sales_end)
);

-- Requests that were accepted, by the id their caller gave: a repeated one finds what the first one made.
create table catalog.requests (
  request_id uuid primary key,
  -- SHA-256 of the request's content and method.
  request_hash bytea not null check (length(request_hash) = 32),
  -- Checked at the commit, because a request is remembered before it makes its event.
  event_id uuid not null references catalog.events deferrable initially deferred
);

-- What the sale has to be told about published events: one command per change, delivered in the order of the
-- event's versions until it is answered.
create table catalog.commands (
  event_id uuid not null references catalog.events,
  -- The event's version that the change made.
  version bigint not null check (version > 0),
  kind text not null check (kind in ('open', 'change_ticket_type', 'close')),
  content jsonb not null,
  state text not null default 'PENDING' check (state in ('PENDING', 'DELIVERED', 'REFUSED')),
  attempts integer not null default 0,
  -- Not tried again before, except by an operator's next change of the event.
  attempt_at timestamptz(3) not null,
  -- Who is delivering it, and until when nobody else does.
  lease_id uuid,
  leased_until timestamptz(3),
  -- Of a command that was refused for good: the error, for the caller who waits for it.
  refusal jsonb,
  created_at timestamptz(3) not null,
  answered_at timestamptz(3),
  primary key (event_id, version),
  constraint lease_has_end check ((lease_id is null) = (leased_until is null)),
  constraint only_pending_is_leased check (state = 'PENDING' or lease_id is null),
  constraint answered_has_time check ((state = 'PENDING') = (answered_at is null)),
  constraint refused_has_refusal check ((state = 'REFUSED') = (refusal is not null))
);

create index commands_pending on catalog.commands (event_id, version) where state = 'PENDING';
create index commands_due on catalog.commands (attempt_at) where state = 'PENDING';

create table catalog.outbox (
  outbox_id uuid primary key,
  event_id uuid not null,
  payload bytea not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  published_at timestamptz(3)
);
create index outbox_unpublished on catalog.outbox (outbox_id) where published_at is null;
create index outbox_published on catalog.outbox (published_at) where published_at is not null;
