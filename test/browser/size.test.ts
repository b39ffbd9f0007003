import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import { ensurePages } from "../../local/web.ts";

const BUILT = join(import.meta.dirname, "../../web/dist");

/** What the first page of the shop may load, compressed. */
const BUDGET_BYTES = 120 * 1000;

beforeAll(() => ensurePages(() => undefined), 120_000);

test.each(["en", "de"])("the first page of the shop loads at most 120 kB of scripts: %s", (language) => {
  const scripts = [...firstPage().matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(
    ([, file = ""]) => file,
  );
  const words = readdirSync(join(BUILT, "assets")).filter((file) => file.startsWith(`${language}-`));
  expect(words).toHaveLength(1);
  scripts.push(...words.map((file) => `assets/${file}`));
  const bytes = scripts
    .map((file) => gzipSync(readFileSync(join(BUILT, file))).length)
    .reduce((sum, length) => sum + length, 0);
  process.stderr.write(
    `The first page of the shop loads ${bytes} bytes of scripts, by gzip (${language}).\n`,
  );
  expect(bytes).toBeLessThanOrEqual(BUDGET_BYTES);
});

test("nothing in it is for operators", () => {
  expect(firstPage()).not.toMatch(/operations/);
});

test("nothing in the page runs or looks by itself: the gateway's policy forbids it", () => {
  expect(firstPage()).not.toMatch(/<style|style=|<script(?![^>]* src=)/);
});

function firstPage(): string {
  return readFileSync(join(BUILT, "index.html"), "utf8");
}
