import { createGrpcTransport, type GrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import type { DescMethod } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SERVICES } from "../../local/config.ts";
import { reach } from "../../local/services.ts";
import { type BoxOffice, startBoxOffice } from "../support/box-office.ts";
import { expectedAtGateway, expectedAtService, verdictOf } from "./access-matrix.ts";
import { RULES, type Rule } from "./access-rules.ts";
import { type Credential, credentials } from "./credentials.ts";
import { reflectedMethods } from "./reflected.ts";

let box: BoxOffice;
let transports: Record<string, GrpcTransport>;
let callers: Credential[];
/** By the service that has them. */
let methods: { service: string; method: DescMethod }[];

beforeAll(async () => {
  box = await startBoxOffice();
  transports = Object.fromEntries(
    SERVICES.map((name) => [
      name,
      createGrpcTransport(reach(box.stack.config, name), { defaultTimeoutMs: 20_000 }),
    ]),
  );
  callers = await credentials(box.stack.keysFolder);
  methods = [];
  for (const service of SERVICES) {
    const found = await reflectedMethods(transports[service] as Transport);
    methods.push(...found.map((method) => ({ service, method })));
  }
}, 90_000);

afterAll(async () => {
  for (const transport of Object.values(transports ?? {})) transport.close();
  await box?.end();
}, 60_000);

const nameOf = ({ parent, name }: DescMethod): string => `${parent.typeName}/${name}`;

function ruleOf(method: DescMethod): Rule {
  const rule = RULES[nameOf(method)];
  if (rule === undefined)
    throw new Error(`${nameOf(method)} has no row in access-rules.ts: who may call it?`);
  return rule;
}

test("every method that reflection shows has a rule", () => {
  expect(methods.length).toBeGreaterThan(30);
  expect(methods.map(({ method }) => nameOf(method)).filter((name) => RULES[name] === undefined)).toEqual([]);
});

test("at the services, each caller gets where they may, and nowhere else", async () => {
  const cells = methods.flatMap(({ service, method }) =>
    callers.map((caller) => async () => {
      const token = await caller.tokenFor(service);
      const verdict = await verdictOf(transports[service] as Transport, method, token);
      return line(method, caller, verdict, expectedAtService(ruleOf(method), caller));
    }),
  );
  const wrong = await wrongOnes(cells);
  expect(wrong).toEqual([]);
}, 60_000);

test("at the gateway too, and what is only for services is not there at all", async () => {
  const transport = createConnectTransport({
    baseUrl: `http://${reach(box.stack.config, "gateway")}`,
    httpVersion: "1.1",
  });
  const cells = methods.flatMap(({ service, method }) =>
    callers.map((caller) => async () => {
      const verdict = await verdictOf(transport, method, await caller.tokenFor(service));
      return line(method, caller, verdict, expectedAtGateway(ruleOf(method), caller));
    }),
  );
  expect(await wrongOnes(cells)).toEqual([]);
}, 60_000);

const line = (method: DescMethod, caller: Credential, is: string, expected: string) =>
  is === expected ? undefined : `${nameOf(method)} for ${caller.name}: ${is}, expected ${expected}`;

/** Some at a time, so that neither we nor the box office have them all open at once. */
async function wrongOnes(cells: (() => Promise<string | undefined>)[]): Promise<string[]> {
  const wrong: string[] = [];
  const waiting = [...cells];
  const work = async () => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      const result = await cell();
      if (result !== undefined) wrong.push(result);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return wrong;
}

describe("the database role of each service", () => {
  test.each(SERVICES)(
    "of %s is denied on every other schema, and may not change its own",
    async (service) => {
      const client = new pg.Client({ connectionString: box.database.urlFor(service) });
      await client.connect();
      try {
        const refusal = (text: string) =>
          client.query(text).then(
            () => "allowed",
            (error: pg.DatabaseError) => error.code,
          );
        const DENIED = "42501";
        const tables = await tablesByOwner();
        for (const { schema, table } of tables.filter((one) => one.schema !== service)) {
          for (const text of [
            `select from ${schema}.${table}`,
            `insert into ${schema}.${table} default values`,
            `update ${schema}.${table} set ctid = null`,
            `delete from ${schema}.${table}`,
            `truncate ${schema}.${table}`,
          ]) {
            expect([text, await refusal(text)]).toEqual([text, DENIED]);
          }
        }
        expect(new Set(tables.map(({ schema }) => schema))).toEqual(new Set(SERVICES));
        const own = tables.find(({ schema }) => schema === service)?.table;
        for (const text of [
          `create table ${service}.mine ()`,
          `drop table ${service}.${own}`,
          `alter table ${service}.${own} add mine int`,
          `truncate ${service}.${own}`,
          `select from ${service}.migrations`,
          "create table public.mine ()",
          "create schema mine",
          "create role mine",
        ]) {
          expect([text, await refusal(text)]).toEqual([text, DENIED]);
        }
      } finally {
        await client.end();
      }
    },
  );
});

async function tablesByOwner(): Promise<{ schema: string; table: string }[]> {
  const client = new pg.Client({ connectionString: box.database.ownerUrl });
  await client.connect();
  const { rows } = await client.query(
    'select schemaname as schema, tablename as "table" from pg_tables where schemaname = any($1)',
    [[...SERVICES]],
  );
  await client.end();
  return rows;
}
