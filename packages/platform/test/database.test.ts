import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { Database, type DatabaseOptions, type Transaction, violatedConstraint } from "../src/database.ts";
import { isRefusal } from "../src/errors.ts";
import { createLogger } from "../src/log.ts";

const log = createLogger("test", "silent");
const schema = `database_test_${process.pid}`;

let database: Database;

beforeAll(async () => {
  database = open();
  await database.query({ text: `create schema ${schema}` });
  await database.query({
    text: `create table ${schema}.stock (id int primary key, available int8 constraint never_negative check (available >= 0))`,
  });
});

beforeEach(async () => {
  await database.query({ text: `truncate ${schema}.stock` });
  await database.query({ text: `insert into ${schema}.stock values (1, 10), (2, 10)` });
});

afterAll(async () => {
  await database.query({ text: `drop schema ${schema} cascade` });
  await database.close();
});

const open = (name = "test", options: Partial<DatabaseOptions> = {}) =>
  new Database({ url: inject("ownerUrl"), name, log, ...options });

const take = (on: Pick<Transaction, "query">, id: number, count = 1) =>
  on.query({
    text: `update ${schema}.stock set available = available - $2 where id = $1`,
    values: [id, count],
  });

const available = async () =>
  (
    await database.query<{ available: bigint }>({ text: `select available from ${schema}.stock order by id` })
  ).map((row) => row.available);

test("a transaction commits all of its statements, and int8 arrives as bigint", async () => {
  const result = await database.transaction(async (tx) => {
    await Promise.all([take(tx, 1), take(tx, 2, 3)]);
    return "done";
  });
  expect(result).toBe("done");
  expect(await available()).toEqual([9n, 7n]);
});

test("a failing statement among pipelined ones undoes them all and leaves the connection usable", async () => {
  const failing = database.transaction(async (tx) => {
    await Promise.all([take(tx, 1), take(tx, 2, 11), take(tx, 1)]);
  });
  const error = await failing.catch((caught: unknown) => caught);
  expect(violatedConstraint(error)).toBe("never_negative");
  expect(await available()).toEqual([10n, 10n]);
});

test("work that throws is undone", async () => {
  const failing = database.transaction(async (tx) => {
    await take(tx, 1);
    throw new Error("changed my mind");
  });
  await expect(failing).rejects.toThrow("changed my mind");
  expect(await available()).toEqual([10n, 10n]);
});

test("of two transactions that lock crosswise, the one that loses runs again", async () => {
  let runs = 0;
  const crossing = (first: number, second: number, met: { arrive(): Promise<void> }) =>
    database.transaction(async (tx) => {
      runs++;
      await take(tx, first);
      await met.arrive();
      await take(tx, second);
    });
  const met = meetingOf(2);
  await Promise.all([crossing(1, 2, met), crossing(2, 1, met)]);
  expect(runs).toBeGreaterThan(2); // how often is PostgreSQL's to say: a rerun can cross again
  expect(await available()).toEqual([8n, 8n]);
});

test("a connection that is killed in a transaction is the caller's to retry, and the pool goes on", async () => {
  const victim = open("victim");
  try {
    const cut = victim.transaction(async (tx) => {
      await take(tx, 1);
      await database.query({
        text: "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'",
      });
      await take(tx, 2);
    });
    const error = await cut.catch((caught: unknown) => caught);
    expect(isRefusal(error, "DEPENDENCY_UNAVAILABLE")).toBe(true);
    expect(await available()).toEqual([10n, 10n]);
    await victim.transaction((tx) => take(tx, 1));
    expect(await available()).toEqual([9n, 10n]);
  } finally {
    await victim.close();
  }
});

test("a database that is away is said to be away", async () => {
  const url = new URL(inject("ownerUrl"));
  url.port = "1";
  const away = new Database({ url: url.href, name: "away", log });
  const error = await away.query({ text: "select 1" }).catch((caught: unknown) => caught);
  expect(isRefusal(error, "DEPENDENCY_UNAVAILABLE")).toBe(true);
  expect([await away.answers(), await database.answers()]).toEqual([false, true]);
  await away.close();
});

/** Everybody waits for the last to arrive; whoever comes again later passes. */
function meetingOf(count: number): { arrive(): Promise<void> } {
  const all = Promise.withResolvers<void>();
  let arrived = 0;
  return {
    arrive() {
      if (++arrived === count) all.resolve();
      return all.promise;
    },
  };
}

test.each([false, true])(
  "a plan that was made when its table was small is another one when it has grown (readsWholeTables %s)",
  async (readsWholeTables) => {
    const table = `${schema}.grown_${readsWholeTables}`;
    const own = open("plans", { readsWholeTables, maxConnections: 1 });
    const texts = ["a", "b", "c", "d", "e", "f"].map((name) => `${name} text default ''`);
    await own.query({ text: `create table ${table} (id int primary key, ${texts})` });
    await own.query({ text: `alter table ${table} set (autovacuum_enabled = false)` }); // it would be planned anew
    await own.query({ text: `insert into ${table} select generate_series(1, 10)` });
    await own.query({ text: `analyze ${table}` });
    const ids = Array.from({ length: 200 }, (_, index) => index);
    const lookUp = {
      name: "look-up",
      text: `select * from ${table} where id = any($1::int[])`,
      values: [ids],
    };
    for (let time = 0; time < TIMES_UNTIL_KEPT; time++) await own.query(lookUp);
    await own.query({ text: `insert into ${table} select generate_series(11, 10000)` });
    expect(await own.query(lookUp)).toHaveLength(199);
    const plan = async () =>
      JSON.stringify(await own.query({ text: `explain execute "look-up" ('{${ids}}')` }));
    if (readsWholeTables) await expect.poll(plan, { timeout: 10_000 }).toContain("Index Scan");
    else expect(await plan()).toContain("Index Scan");
    await own.close();
  },
);

/** PostgreSQL plans a named statement anew five times, and then may keep a plan. */
const TIMES_UNTIL_KEPT = 6;
