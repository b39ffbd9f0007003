-- The schema's only clock. Leases are given and judged by it, never by a process's own.
create function payment.clock() returns timestamptz
  language sql volatile
  as $$ select date_trunc('milliseconds', clock_timestamp()) $$;

-- One row per attempt to pay. The card's token is not in it, only what recognises it again.
create table payment.payments (
  payment_id uuid primary key,
  reservation_id uuid not null,
  -- The first attempt to pay the reservation is 1.
  attempt integer not null check (attempt between 1 and 10),
  state text not null
    check (state in ('CREATED', 'CHARGING', 'CHARGED', 'CONFIRMED', 'FAILED', 'UNKNOWN', 'REFUND_DUE')),
  version integer not null default 1,
  request_id uuid,
  -- HMAC-SHA-256, with a key that is not in the database.
  content_hmac bytea not null,
  token_hmac bytea not null,
  -- What the reservation costs, as it said when the payment began.
  event_id uuid,
  amount_minor bigint check (amount_minor >= 0),
  currency_code text,
  failure_reason text,
  -- A FAILED payment whose hold was not given back yet.
  is_abort_pending boolean not null default false,
  -- Whoever has the lease goes on with the payment; after its end the completer does. No end: nothing is left to do.
  lease_id uuid not null,
  lease_until timestamptz(3),
  -- How often the completer has taken the payment up in its present state.
  tries integer not null default 0,
  created_at timestamptz(3) not null,
  changed_at timestamptz(3) not null,
  constraint payments_request_id unique (request_id),
  constraint payments_attempt unique (reservation_id, attempt),
  constraint bill_is_whole check (
    (event_id is null) = (amount_minor is null) and (event_id is null) = (currency_code is null)),
  constraint charged_needs_bill check (state in ('CREATED', 'FAILED') or event_id is not null),
  constraint failed_has_reason check ((state = 'FAILED') = (failure_reason is not null)),
  constraint only_failed_is_aborted check (state = 'FAILED' or not is_abort_pending),
  constraint work_left_has_lease check (
    (lease_until is not null) = (state in ('CREATED', 'CHARGING', 'CHARGED', 'UNKNOWN') or is_abort_pending))
);

-- A reservation is paid by one payment at a time. REFUND_DUE is not among them, because a charge that turns out to
-- have succeeded after it was taken for failed becomes that while another attempt may be under way. No new attempt
-- begins beside one.
create unique index payments_live on payment.payments (reservation_id)
  where state not in ('FAILED', 'REFUND_DUE');

create index payments_due on payment.payments (state, lease_until) where lease_until is not null;
create index payments_of_event on payment.payments (event_id, payment_id);

create table payment.outbox (
  outbox_id uuid primary key,
  event_id uuid not null,
  payload bytea not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  published_at timestamptz(3)
);

create index outbox_unpublished on payment.outbox (outbox_id) where published_at is null;
create index outbox_published on payment.outbox (published_at) where published_at is not null;
