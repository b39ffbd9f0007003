import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Graph, readGraph } from "./graph.ts";
import { breachesOf, RULES } from "./rules.ts";
import { parseSource } from "./source.ts";

const WRONG = join(import.meta.dirname, "fixtures/wrong");
const CHECKOUT = join(import.meta.dirname, "../..");

/** All that is wrong in the wrong tree. Whatever else it imports is allowed. */
const BREACHES = [
  ["gateway/main.ts", `imports "../services/catalog/domain.ts"`, "services-apart"],
  ["local/nats.ts", `imports "nats"`, "one-file-for-nats"],
  ["packages/platform/src/bus.ts", `imports "nats"`, "one-file-for-nats"],
  ["packages/platform/src/database.ts", `imports "@boxoffice/local/nats.ts"`, "nothing-above"],
  [
    "packages/platform/src/outbox.ts",
    `imports "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts"`,
    "platform-knows-no-ticket",
  ],
  ["packages/platform/src/stream.ts", `imports "nats"`, "one-file-for-nats"],
  ["services/catalog/completer.ts", `imports "./main.ts"`, "main-wires"],
  ["services/catalog/domain.ts", "imports randomUUID", "domain-has-no-clock"],
  ["services/catalog/domain.ts", `imports "node:fs"`, "domain-decides"],
  [
    "services/catalog/domain.ts",
    `imports "@boxoffice/platform/database.ts", which leads to packages/platform/src/database.ts, local/nats.ts, nats`,
    "domain-decides",
  ],
  ["services/catalog/domain.ts", `imports "@connectrpc/connect"`, "domain-decides"],
  ["services/catalog/domain.ts", "imports v7", "domain-has-no-clock"],
  ["services/catalog/domain.ts", `imports "./store.ts"`, "domain-decides"],
  ["services/catalog/domain.ts", "uses new Date()", "domain-has-no-clock"],
  ["services/catalog/domain.ts", "uses Date.now", "domain-has-no-clock"],
  ["services/catalog/domain.ts", "uses Date()", "domain-has-no-clock"],
  ["services/catalog/domain.ts", "uses performance.now", "domain-has-no-clock"],
  ["services/catalog/domain.ts", "uses process.hrtime", "domain-has-no-clock"],
  ["services/catalog/domain.ts", "uses setTimeout", "domain-has-no-clock"],
  ["services/catalog/domain.ts", "uses Math.random", "domain-has-no-clock"],
  ["services/catalog/domain.ts", "uses crypto.randomUUID", "domain-has-no-clock"],
  ["services/catalog/rpc.ts", `imports "@boxoffice/payment/store.ts"`, "services-apart"],
  ["services/catalog/store.ts", `imports "pg"`, "driver-in-platform"],
  ["services/catalog/store.ts", `imports "./completer.ts"`, "store-persists"],
  ["services/catalog/store.ts", `imports "./rpc.ts"`, "rpc-on-top"],
  ["local/web.ts", `imports "../web/src/page.tsx"`, "pages-know-the-contract"],
  ["web/src/page.tsx", `imports "@boxoffice/platform/bus.ts"`, "pages-know-the-contract"],
  ["services/payment/main.ts", "has no rpc, no domain beside it", "layers-by-name"],
];

describe("on a tree that breaks every rule", () => {
  const wrong = readGraph(WRONG);

  test("each breach is found, and nothing else", () => {
    expect(inOrder(breachesOf(wrong).map(({ file, found, rule }) => [file, found, rule.name]))).toEqual(
      inOrder(BREACHES),
    );
  });

  test("every rule is among those broken", () => {
    expect(new Set(BREACHES.map(([, , rule]) => rule))).toEqual(new Set(RULES.map(({ name }) => name)));
  });

  test("a breach tells its line", () => {
    const line = breachesOf(wrong).find(({ found }) => found === "uses Date.now")?.line;
    expect(line).toBe(11);
  });

  test("one file of the platform may import NATS, and others still may not", () => {
    const oneFile: Graph = new Map([...wrong].filter(([path]) => path !== "packages/platform/src/stream.ts"));
    const breaches = breachesOf(oneFile).filter(({ rule }) => rule.name === "one-file-for-nats");
    expect(breaches.map(({ file }) => file)).toEqual(["local/nats.ts"]);
  });
});

test("this checkout breaks no rule", () => {
  const graph = readGraph(CHECKOUT);
  expect([...graph.keys()]).toContain("packages/platform/src/errors.ts");
  expect(
    breachesOf(graph).map(({ file, line, found, rule }) => `${file}:${line} ${found}: ${rule.says}`),
  ).toEqual([]);
});

describe("an import is seen in each of its spellings", () => {
  test.for([
    [`import a from "m"`, { names: [], typeOnly: false }],
    [`import { a, "b c" as b } from "m"`, { names: ["a", "b c"], typeOnly: false }],
    [`import * as a from "m"`, { names: [], typeOnly: false }],
    [`import "m"`, { names: [], typeOnly: false }],
    [`import type { A } from "m"`, { names: ["A"], typeOnly: true }],
    // Node strips the name only: the module is still loaded.
    [`import { type A } from "m"`, { names: ["A"], typeOnly: false }],
    [`export { a } from "m"`, { names: ["a"], typeOnly: false }],
    [`export type { A } from "m"`, { names: ["A"], typeOnly: true }],
    [`export * from "m"`, { names: [], typeOnly: false }],
    [`const a = await import("m")`, { names: [], typeOnly: false }],
    ["const a = await import(`m`)", { names: [], typeOnly: false }],
    [`type A = import("m").A`, { names: [], typeOnly: true }],
    [`const a = require("m")`, { names: [], typeOnly: false }],
  ] as const)("%s", ([text, expected]) => {
    expect(parseSource("file.ts", text).imports).toEqual([{ specifier: "m", line: 1, ...expected }]);
  });

  test("what does not parse is an error that names the file", () => {
    expect(() => parseSource("broken.ts", "import {")).toThrow("broken.ts does not parse");
  });
});

function inOrder(rows: string[][]): string[] {
  return rows.map((row) => row.join(" | ")).sort();
}
