import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { Database, sqlState } from "../src/database.ts";
import { createLogger } from "../src/log.ts";
import { migrate } from "../src/migrations.ts";

const log = createLogger("test", "silent");
const database = `migrations_${process.pid}`;
const roles = [`${database}_a`, `${database}_b`];

/** With a quote, which SQL must survive. */
const PASSWORD = "it's secret";

let directory: string;
let ownerUrl: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "boxoffice-migrations-"));
  await writeFile(join(directory, "001_things.sql"), "create table things (id int primary key);\n");
  await writeFile(join(directory, "README.md"), "not a migration\n");
  await asOwner(inject("ownerUrl"), `create database ${database}`);
  ownerUrl = urlFor();
});

afterAll(async () => {
  await asOwner(inject("ownerUrl"), `drop database ${database} with (force)`);
  for (const role of roles) await asOwner(inject("ownerUrl"), `drop role if exists ${role}`);
  await rm(directory, { recursive: true });
});

async function asOwner(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

/** This file's database, as its owner unless told who else. */
function urlFor(user?: { name: string; password: string }): string {
  const url = new URL(inject("ownerUrl"));
  url.pathname = `/${database}`;
  if (user) {
    url.username = user.name;
    url.password = encodeURIComponent(user.password);
  }
  return url.href;
}

const migrateSchema = (schema: string, role = `${database}_${schema}`) =>
  migrate({ ownerUrl, schema, directory, role: { name: role, password: PASSWORD } });

test("several runners at once leave every schema migrated once, also with a later file", async () => {
  await Promise.all([migrateSchema("a"), migrateSchema("b"), migrateSchema("a"), migrateSchema("b")]);
  await writeFile(join(directory, "002_names.sql"), "alter table things add column name text;\n");
  await Promise.all([migrateSchema("a"), migrateSchema("b")]);
  const { rows } = await asOwner(ownerUrl, "select name from a.migrations order by id");
  expect(rows.map(({ name }) => name)).toEqual(["001_things", "002_names"]);
});

test("a role reads and writes its own rows, cannot alter its schema, and is denied on the other's", async () => {
  await Promise.all([migrateSchema("a"), migrateSchema("b")]);
  const own = new Database({ url: urlFor({ name: `${database}_a`, password: PASSWORD }), name: "test", log });
  try {
    await own.query({ text: "insert into a.things values (1)" });
    expect(await own.query({ text: "select id from a.things" })).toEqual([{ id: 1 }]);
    for (const denied of [
      "select * from b.things",
      "insert into b.things values (1)",
      "drop table a.things",
      "create table a.more (id int)",
      "create schema c",
      "delete from a.migrations",
    ]) {
      const error = await own.query({ text: denied }).catch((caught: unknown) => caught);
      expect([denied, sqlState(error)]).toEqual([denied, "42501"]);
    }
  } finally {
    await own.close();
  }
});

test("a role that is somebody else's is left alone, with a sentence that says what to do", async () => {
  const stranger = `${database}_stranger`;
  await migrateSchema("a");
  await asOwner(ownerUrl, `create role ${stranger} login createrole password '1'`);
  await asOwner(ownerUrl, `grant all on database ${database} to ${stranger}`);
  try {
    const foreign = migrate({
      ownerUrl: urlFor({ name: stranger, password: "1" }),
      schema: "c",
      directory,
      role: { name: `${database}_a`, password: "2" },
    });
    await expect(foreign).rejects.toThrow(`The role ${database}_a exists already`);
  } finally {
    await asOwner(ownerUrl, `drop owned by ${stranger}; drop role ${stranger}`);
  }
});
