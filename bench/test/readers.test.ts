import { describe, expect, test } from "vitest";
import { parseMachine, parseStat, partOf } from "../harness/cpu.ts";
import { readH2load, readLoad, troubleInLoad } from "../harness/loads.ts";
import { summarizeProfile } from "../harness/profile.ts";
import { readPgbench } from "../harness/references.ts";

const PGBENCH = `pgbench (15.18 (Debian 15.18-0+deb12u1), server 18.4)
transaction type: /tmp/statement.sql
scaling factor: 1
query mode: prepared
number of clients: 4
number of threads: 2
duration: 9 s
number of transactions actually processed: 41530
number of failed transactions: 3 (0.007%)
latency average = 0.866 ms
initial connection time = 11.921 ms
tps = 4618.913511 (without initial connection time)
`;

const H2LOAD = `starting benchmark...
spawning thread #0: 4 total client(s). Timing-based test with 0s of warm-up time and 9s of main duration for measurements.
Warm-up started for thread #0.
Main benchmark duration is over for thread #0. Stopping all clients.

finished in 9.00s, 15123.22 req/s, 1.82MB/s
requests: 136109 total, 136365 started, 136109 done, 136100 succeeded, 5 failed, 4 errored, 1 timeout
status codes: 136109 2xx, 0 3xx, 0 4xx, 0 5xx
`;

describe("what the load programs print", () => {
  test("pgbench: its rate and its failures", () => {
    expect(readPgbench(PGBENCH)).toEqual({ perSecond: 4618.913511, failed: 3 });
  });

  test("h2load: its rate and everything that went wrong", () => {
    expect(readH2load(H2LOAD)).toEqual({ perSecond: 15123.22, succeeded: 136_100, failed: 10 });
  });

  test.each([readPgbench, readH2load])("an output without a rate is an error that shows it", (read) => {
    expect(() => read("connection refused")).toThrow("connection refused");
  });

  test("the generator: what was refused, by reason, and lost", () => {
    const result = {
      begun: 12,
      completed: 7,
      refused: { SOLD_OUT: 3 },
      lost: 1,
      latencyMs: { p50: 1, p95: 2, p99: 3, max: 4 },
    };
    const printed = `started\n${JSON.stringify(result)}\n`;
    expect(readLoad(printed)).toEqual(result);
    expect(troubleInLoad(printed)).toEqual(["3 x SOLD_OUT", "2 not answered", "1 connections lost"]);
  });
});

describe("who used the processors", () => {
  test.each([
    ["/usr/bin/node /app/services/reservation/main.ts", "reservation"],
    ["/usr/bin/node --cpu-prof /app/gateway/main.ts", "gateway"],
    ["postgres: boxoffice_stats boxoffice 127.0.0.1(40112) COMMIT", "postgres for stats"],
    ["postgres: boxoffice boxoffice 127.0.0.1(40112) idle", "postgres for the bench"],
    ["postgres: walwriter ", "postgres"],
    ["/lib/native/bin/postgres -D /tmp/x -c port=1", "postgres"],
    ["/usr/sbin/nats-server --config x", "nats"],
    ["/usr/bin/node /app/bench/load/main.ts", "load generator"],
    ["/usr/lib/postgresql/15/bin/pgbench --no-vacuum", "load generator"],
    ["/usr/bin/node /app/local/guard.ts", "other"],
  ])("%s is %s", (command, part) => {
    expect(partOf(command)).toBe(part);
  });

  test("the kernel's line about a process whose name has spaces and parentheses", () => {
    const line = "12 (a (b) c) S 7 12 12 0 -1 4194304 100 0 0 0 150 50 30 20 20 0 11 0 123 1 2";
    expect(parseStat(line)).toEqual({ parent: 7, ownMs: 2_000, reapedMs: 500 });
  });

  test("a process that has ended has no line", () => {
    expect(parseStat("")).toBeUndefined();
  });

  test("the machine's time without what it idled or waited", () => {
    expect(parseMachine("cpu  100 1 50 9000 77 2 3 0 0 0\ncpu0 1 1 1")).toBe(1_560);
  });
});

const frame = (functionName: string, url: string, lineNumber = 0) => ({ functionName, url, lineNumber });

const profile = {
  startTime: 1_000,
  nodes: [
    { id: 1, callFrame: frame("(root)", "") },
    { id: 2, callFrame: frame("(idle)", "") },
    { id: 3, callFrame: frame("(garbage collector)", "") },
    { id: 4, callFrame: frame("encode", "file:///app/node_modules/@bufbuild/protobuf/dist/a.js", 9) },
    { id: 5, callFrame: frame("respond", "node:internal/http2/core", 4) },
    { id: 6, callFrame: frame("decide", "file:///app/services/reservation/domain/decide.ts", 1) },
    { id: 7, callFrame: frame("writev", "") },
  ],
  samples: [6, 2, 4, 4, 5, 3, 7, 6],
  timeDeltas: [5_000, 100, 300, 100, 200, 200, 100, 100],
};

test("self time by package and function, in the stretches under load and without idling", () => {
  const { busyMs, packages, functions } = summarizeProfile(profile, [{ from: 6_050, until: 7_050 }]);
  expect(busyMs).toBeCloseTo(0.9);
  expect(packages.map(({ name }) => name)).toEqual([
    "@bufbuild/protobuf",
    "node:http2",
    "(garbage collector)",
    "native",
  ]);
  expect(functions[0]).toEqual({
    name: "encode @bufbuild/protobuf/dist/a.js:10",
    share: expect.closeTo(4 / 9),
  });
});

test("code of ours is named by its file", () => {
  const { packages } = summarizeProfile(profile, [{ from: 0, until: 6_000 }]);
  expect(packages).toEqual([{ name: "services/reservation/domain/decide.ts", share: 1 }]);
});
