import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REASONS } from "@boxoffice/platform/errors.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureDemo } from "../../local/demo.ts";
import { operatorClients } from "../../local/operator.ts";
import { reach } from "../../local/services.ts";
import { type BoxOffice, startBoxOffice } from "../support/box-office.ts";

const DOCUMENT = join(import.meta.dirname, "..", "..", "docs", "frontend.md");
const MARK = "--- the next example ---";
const ADDRESS = "127.0.0.1:8080";

let box: BoxOffice;

beforeAll(async () => {
  box = await startBoxOffice();
  const clients = operatorClients(reach(box.stack.config, "gateway"), box.operatorToken);
  await ensureDemo(join(box.folder, "demo.json"), clients);
}, 120_000);

afterAll(() => box?.end(), 60_000);

type Block = { language: string; text: string };

const blocks = (): Block[] =>
  [...readFileSync(DOCUMENT, "utf8").matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(
    ([, language = "", text = ""]) => ({
      language,
      text,
    }),
  );

test("every example of docs/frontend.md does what it says", () => {
  const all = blocks();
  const commands = all.map(({ language, text }) => {
    const code = text.replaceAll(ADDRESS, reach(box.stack.config, "gateway"));
    return language === "ts" ? asCommand(code) : code;
  });
  const isExample = ({ language }: Block) => language === "sh" || language === "ts";
  // One shell runs them one after the other, as a reader would.
  const script = all.flatMap((block, index) => (isExample(block) ? [`echo "${MARK}"`, commands[index]] : []));
  const printed = run(["set -eu", ...script].join("\n"))
    .split(`${MARK}\n`)
    .slice(1);
  let checked = 0;
  for (const [index, block] of all.entries()) {
    if (!isExample(block)) continue;
    const given = printed.shift() ?? "";
    const answer = all[index + 1];
    if (answer?.language === "json")
      expect(shapeOf(JSON.parse(given)), block.text).toEqual(shapeOf(JSON.parse(answer.text)));
    else if (answer?.language === "text")
      expect(numbersAside(given), block.text).toBe(numbersAside(answer.text));
    else continue;
    checked++;
  }
  expect(checked).toBeGreaterThanOrEqual(9);
}, 120_000);

test("docs/frontend.md says what to do about every reason", () => {
  const text = readFileSync(DOCUMENT, "utf8");
  expect(Object.keys(REASONS).filter((reason) => !text.includes(`\`${reason}\``))).toEqual([]);
});

test("the API's description is served, and knows every method that is not for services alone", async () => {
  const response = await fetch(`http://${reach(box.stack.config, "gateway")}/openapi.json`);
  const api = await response.json();
  expect([response.status, api.openapi]).toEqual([200, "3.1.0"]);
  const paths = Object.keys(api.paths);
  expect(paths).toContain("/boxoffice.reservation.v1.ReservationService/WatchAvailability");
  expect(paths.filter((path) => /SalesService|FeedService|LedgerService/.test(path))).toEqual([]);
  for (const path of paths) {
    const routed = await fetch(`http://${reach(box.stack.config, "gateway")}${path}`, { method: "DELETE" });
    expect([path, routed.status]).not.toEqual([path, 404]);
  }
  const names = [...JSON.stringify(api).matchAll(/"#\/components\/(\w+)\/([\w.]+)"/g)];
  expect(names.length).toBeGreaterThan(50);
  for (const [, kind = "", name = ""] of names) expect(Object.keys(api.components[kind])).toContain(name);
});

function run(script: string): string {
  return execFileSync("bash", ["-c", script], { encoding: "utf8", timeout: 60_000 });
}

/** A file in the repository, so that it finds the packages that it imports. */
const SNIPPET = join(import.meta.dirname, "frontend-example.ts");

function asCommand(code: string): string {
  writeFileSync(SNIPPET, code);
  return `EVENT="$EVENT" "${process.execPath}" "${SNIPPET}"\n`;
}

afterAll(() => rmSync(SNIPPET, { force: true }));

/** What must be the same in every box office: names, and values but for ids, times, encoded bytes and amounts. */
function shapeOf(value: unknown, name = ""): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map((item) => shapeOf(item));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, inner]) => [key, shapeOf(inner, key)]),
    );
  }
  if (typeof value !== "string") return typeof value;
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(value)) return "an id";
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return "a time";
  if (/^[\d.]+s$/.test(value)) return "a duration";
  return name === "value" || name === "etag" ? "a text" : value;
}

const numbersAside = (text: string): string => text.replaceAll(/\b(?!200\b)\d+/g, "n").trim();
