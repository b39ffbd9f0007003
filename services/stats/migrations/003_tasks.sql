alter table stats.progress
  -- When the stream was made, by its own word, whose messages are counted. What an earlier one may have taken with it
  -- a RESYNC asks for.
  add column stream text,
  -- The newest of its messages that was counted.
  add column stream_seq bigint not null default 0,
  -- Of the task's run that builds.
  add column build_id uuid check ((build_id is null) = (building is null));

-- What is done beside counting, by any replica, one task at a time: RESYNC counts everything that the other services
-- have again and adds what is missing, REBUILD replaces everything by what they have, VERIFY compares.
create table stats.tasks (
  task_id uuid primary key,
  kind text not null check (kind in ('RESYNC', 'REBUILD', 'VERIFY')),
  state text not null check (state in ('WAITING', 'RUNNING', 'SUCCEEDED', 'FAILED')),
  requested_at timestamptz(3) not null,
  due_at timestamptz(3) not null,
  started_at timestamptz(3),
  ended_at timestamptz(3) check ((ended_at is null) = (state in ('WAITING', 'RUNNING'))),
  -- Who runs it, and until when nobody else takes it over.
  run_id uuid check (state <> 'RUNNING' or run_id is not null),
  run_until timestamptz(3) check (state <> 'RUNNING' or run_until is not null),
  -- How many events, ticket types, reservations and payments were read.
  entities bigint not null default 0,
  -- [{ subject, id, field, counted, expected }, ...], the first ones.
  differences json not null default '[]',
  difference_count bigint not null default 0,
  -- Why it failed.
  problem text
);

create unique index tasks_running on stats.tasks ((true)) where state = 'RUNNING';
create unique index tasks_waiting on stats.tasks (kind) where state = 'WAITING';
create index tasks_by_request on stats.tasks (requested_at);
