import { join } from "node:path";
import { expect, test } from "vitest";
import { licencesPage } from "./licences.ts";
import { type Locked, type Manifest, type Packages, readPackages } from "./packages.ts";
import { dependencyFaults } from "./rules.ts";

const SHA = `sha512-${"A".repeat(86)}==`;
const GOOD: Locked = { version: "1.2.3", integrity: SHA, license: "MIT" };

/** A checkout with one dependency, `left-pad`. */
function checkout(
  change: { entry?: Locked; root?: Manifest; installed?: Manifest; npmrc?: string; locked?: Locked } = {},
): Packages {
  const root: Manifest = {
    dependencies: { "left-pad": "1.2.3", "@boxoffice/platform": "*" },
    ...change.root,
  };
  return {
    own: new Map([["", root]]),
    locked: new Map<string, Locked>([
      ["", change.locked ?? { dependencies: root.dependencies ?? {} }],
      ["node_modules/@boxoffice/platform", { link: true, resolved: "packages/platform" }],
      ["node_modules/left-pad", { ...GOOD, ...change.entry }],
    ]),
    installed: () => change.installed,
    npmrc: change.npmrc ?? "save-exact=true\n",
  };
}

test("a checkout that is in order", () => {
  expect(dependencyFaults(checkout())).toEqual([]);
  expect(dependencyFaults(checkout({ installed: { version: "1.2.3", license: "MIT" } }))).toEqual([]);
});

test("this one", () => {
  const packages = readPackages(join(import.meta.dirname, "..", ".."));
  expect(packages.locked.size).toBeGreaterThan(100);
  expect(dependencyFaults(packages)).toEqual([]);
});

test.each<[string, Parameters<typeof checkout>[0], RegExp]>([
  ["a range", { root: { dependencies: { "left-pad": "^1.2.3" } } }, /left-pad is not pinned/],
  ["a tag", { root: { dependencies: { "left-pad": "latest" } } }, /left-pad is not pinned/],
  ["somebody's archive", { root: { dependencies: { "left-pad": "github:a/b" } } }, /left-pad is not pinned/],
  [
    "another version than is locked",
    { locked: { dependencies: { "left-pad": "1.2.4" } } },
    /are not those of/,
  ],
  ["no integrity", { entry: { integrity: "" } }, /no SHA-512/],
  ["an integrity that is easily forged", { entry: { integrity: "sha1-AAAA" } }, /no SHA-512/],
  [
    "a place to be fetched from",
    { entry: { resolved: "https://r.example/left-pad.tgz" } },
    /tied to one place/,
  ],
  ["an undecided script", { entry: { hasInstallScript: true } }, /allowScripts/],
  ["a strange licence", { entry: { license: "SSPL-1.0" } }, /under "SSPL-1.0"/],
  ["no licence", { entry: { license: "" } }, /under ""/],
  ["one strange licence of two that both count", { entry: { license: "(MIT AND GPL-3.0)" } }, /GPL/],
  ["a tool's licence in production", { entry: { license: "MPL-2.0" } }, /under "MPL-2.0"/],
  ["something else installed", { installed: { version: "1.2.4" } }, /installed as 1.2.4/],
  ["another licence inside", { installed: { version: "1.2.3", license: "GPL-3.0" } }, /says of itself GPL/],
  ["a registry", { npmrc: "save-exact=true\nregistry=https://r.example\n" }, /names a registry/],
  ["ranges for new ones", { npmrc: "" }, /pinned/],
])("%s is told of", (_, change, expected) => {
  expect(dependencyFaults(checkout(change)).join("\n")).toMatch(expected);
});

test.each<[string, Locked]>([
  ["one of two licences is enough", { license: "(MIT OR GPL-3.0)" }],
  ["a tool may be under the Mozilla licence", { license: "MPL-2.0", dev: true }],
])("%s", (_, entry) => {
  expect(dependencyFaults(checkout({ entry }))).toEqual([]);
});

test("a script that was decided about may run, or not", () => {
  const entry: Locked = { hasInstallScript: true };
  const root: Manifest = { dependencies: { "left-pad": "1.2.3" }, allowScripts: { "left-pad": false } };
  expect(dependencyFaults(checkout({ entry, root }))).toEqual([]);
});

test("the page lists what is run, and not the tools", () => {
  const packages = checkout();
  expect(licencesPage(packages)).toContain("| left-pad | 1.2.3 | MIT |");
  expect(licencesPage(checkout({ entry: { dev: true } }))).not.toContain("left-pad");
});
