-- Refunds, and what operators do to payments. Deploy after this has run: a replica of before would show REFUNDING
-- as nothing, and cannot record REFUND_DUE any more (it retries; the first new replica takes that over).

alter table payment.payments
  -- A REFUNDED payment whose paid reservation was not released yet.
  add column is_release_pending boolean not null default false,
  -- Asked for with the refund: the tickets do not go on sale again.
  add column keeps_off_sale boolean not null default false,
  drop constraint payments_state_check,
  drop constraint only_failed_is_aborted,
  drop constraint work_left_has_lease;

-- What was owed until now waited for somebody to look into it.
update payment.payments set lease_until = payment.clock() where state = 'REFUND_DUE';

alter table payment.payments
  add constraint payments_state_check check (state in ('CREATED', 'CHARGING', 'CHARGED', 'CONFIRMED', 'FAILED',
    'UNKNOWN', 'REFUND_DUE', 'REFUNDING', 'REFUNDED')),
  -- Money that comes after FAILED is owed at once; the hold may have to be given back still.
  add constraint abort_follows_failure check (state in ('FAILED', 'REFUND_DUE', 'REFUNDED') or not is_abort_pending),
  add constraint release_follows_refund check (state = 'REFUNDED' or not is_release_pending),
  add constraint work_left_has_lease check (
    (lease_until is not null) = (state in ('CREATED', 'CHARGING', 'CHARGED', 'UNKNOWN', 'REFUND_DUE', 'REFUNDING')
      or is_abort_pending or is_release_pending));

-- A reservation is paid by one payment at a time, also while that is being refunded. What is REFUNDED blocks nothing:
-- after a late success that was given back the hold may still be there to be paid; after the refund of a paid
-- reservation the reservation itself refuses.
create unique index payments_blocking on payment.payments (reservation_id)
  where state not in ('FAILED', 'REFUND_DUE', 'REFUNDED');
drop index payment.payments_live;

-- What somebody has to watch: few rows, however many payments there are.
create index payments_unsettled on payment.payments (state, changed_at)
  where state in ('UNKNOWN', 'REFUND_DUE', 'REFUNDING');

-- Acts of operators that may be repeated: the same id with the same content is the same act.
create table payment.acts (
  request_id uuid primary key,
  payment_id uuid not null,
  -- SHA-256 of what was asked.
  content_hash bytea not null,
  acted_at timestamptz(3) not null
);
