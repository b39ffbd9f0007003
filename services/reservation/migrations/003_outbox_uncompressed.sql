-- Messages of hundreds of changes are stored out of line. Compressing them would cost more than writing them: they
-- are short-lived, and ids and hashes hardly shrink.
alter table reservation.outbox alter column payload set storage external;
