-- What operators did: written in the transaction that did it, and never changed.
create table reservation.audit_entries (
  audit_entry_id uuid primary key,
  happened_at timestamptz(3) not null,
  -- The subject of the operator's token, or this service where it had to act by itself.
  actor text not null check (actor <> ''),
  -- The method of the contract.
  action text not null check (action <> ''),
  -- The id of what was acted on; never that of a reservation, which is its owner's secret.
  target text not null,
  event_id uuid,
  reason text not null,
  details jsonb not null check (jsonb_typeof(details) = 'object')
);

create index audit_entries_by_time on reservation.audit_entries (happened_at, audit_entry_id);
create index audit_entries_of_event on reservation.audit_entries (event_id, happened_at, audit_entry_id);

-- The service's role may write to every table of its schema: this keeps it, and a mistake of ours, from rewriting
-- the past. Whoever has to, such as for a law that says when to forget, does so as the owner.
create function reservation.refuse_to_rewrite() returns trigger
  language plpgsql
  as $$ begin raise exception 'audit entries are never changed'; end $$;

create trigger audit_entries_stay before update or delete or truncate on reservation.audit_entries
  for each statement execute function reservation.refuse_to_rewrite();
