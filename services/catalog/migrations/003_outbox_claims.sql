-- A relay claims a message before it publishes it, so that it holds no lock while NATS is away.
alter table catalog.outbox add column claimed_until timestamptz(3);

-- One row: when the stream was made, by its own word, that the outbox is published to. What was published before
-- `since` went to another one that was lost.
create table catalog.outbox_stream (
  is_only boolean primary key default true check (is_only),
  stream text,
  since timestamptz(3)
);

insert into catalog.outbox_stream default values;
