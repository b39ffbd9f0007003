/**
 * Checks what the product stands on, without asking anybody over the network: package-lock.json, each package.json,
 * what is installed, and whether docs/licences.md is current. With --write it writes that page.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { licencesPage } from "./licences.ts";
import { readPackages } from "./packages.ts";
import { dependencyFaults } from "./rules.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const PAGE = join(ROOT, "docs", "licences.md");

const packages = readPackages(ROOT);
const page = licencesPage(packages);
if (process.argv.includes("--write")) writeFileSync(PAGE, page);
const faults = dependencyFaults(packages);
if (readFileSync(PAGE, "utf8") !== page) {
  faults.push('docs/licences.md is not current: "npm run licences" writes it');
}
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
