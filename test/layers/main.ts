/**
 * Checks that imports go in one direction only. Prints each breach with the rule it breaks, and fails if there
 * is one.
 *
 *   node test/layers/main.ts [FOLDER]     the whole checkout, or another tree
 */
import { join } from "node:path";
import { readGraph } from "./graph.ts";
import { breachesOf } from "./rules.ts";

const root = process.argv[2] ?? join(import.meta.dirname, "../..");
const breaches = breachesOf(readGraph(root));
for (const { file, line, found, rule } of breaches) console.error(`${file}:${line} ${found}\n  ${rule.says}`);
if (breaches.length > 0) process.exitCode = 1;
