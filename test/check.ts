/**
 * Everything about the checkout that can be checked without running it, as many steps at a time as there are
 * processors. Prints a line per step, and what a failing step said.
 *
 *   npm run check                      all steps
 *   npm run check -- --only types      one step, by its name; may be given several times
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { RELEASED_IMAGE, vendorPublishedInterfaces } from "../proto/generate.ts";

type Step = { name: string; command: readonly string[]; folder?: string };
type Result = { step: Step; ok: boolean; output: string; seconds: number };

const ROOT = join(import.meta.dirname, "..");
const PROTO = join(ROOT, "proto");

/** The slowest first, so that the others run beside them. */
const STEPS: readonly Step[] = [
  { name: "unused", command: ["knip", "--no-progress", "--no-config-hints"] },
  { name: "lint", command: ["biome", "check", "--error-on-warnings", "--max-diagnostics=200", "."] },
  { name: "types", command: ["tsc", "-p", "."] },
  { name: "generated", command: ["node", "proto/generate.ts", "--check"] },
  { name: "dependencies", command: ["node", "test/dependencies/main.ts"] },
  { name: "layers", command: ["node", "test/layers/main.ts"] },
  { name: "contract", command: ["buf", "lint"], folder: PROTO },
  {
    name: "breaking",
    command: ["buf", "breaking", "--path", "boxoffice", "--against", RELEASED_IMAGE],
    folder: PROTO,
  },
];

const steps = chosenSteps();
const startedAt = performance.now();
// What buf needs beside the contract, once, before several steps ask for it at the same time.
vendorPublishedInterfaces();
const results = await runAll(steps, availableParallelism());

const failed = results.filter(({ ok }) => !ok);
for (const { step, output } of failed) {
  console.log(`\n── ${step.name}: ${step.command.join(" ")}\n${output.trim()}`);
}
const summary = failed.length === 0 ? "all ok" : `failed: ${failed.map(({ step }) => step.name).join(", ")}`;
console.log(`\ncheck: ${summary} (${secondsSince(startedAt)} s)`);
process.exitCode = failed.length === 0 ? 0 : 1;

function chosenSteps(): readonly Step[] {
  const { values } = parseArgs({ options: { only: { type: "string", multiple: true } } });
  const unknown = values.only?.filter((name) => !STEPS.some((step) => step.name === name)) ?? [];
  if (unknown.length > 0) {
    console.error(`No step is called ${unknown[0]}: there are ${STEPS.map(({ name }) => name).join(", ")}.`);
    process.exit(2);
  }
  return STEPS.filter(({ name }) => values.only?.includes(name) ?? true);
}

/** Runs the steps in their order, `width` of them at a time, and prints a line as each ends. */
async function runAll(all: readonly Step[], width: number): Promise<Result[]> {
  const waiting = [...all];
  const results: Result[] = [];
  const worker = async (): Promise<void> => {
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      const result = await run(step);
      const verdict = result.ok ? "ok" : "failed";
      console.log(`${verdict.padEnd(6)} ${step.name.padEnd(12)} ${result.seconds.toFixed(1)} s`);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}

async function run(step: Step): Promise<Result> {
  const start = performance.now();
  const { ok, output } =
    step.name === "breaking" && !existsSync(join(PROTO, RELEASED_IMAGE))
      ? { ok: false, output: `proto/${RELEASED_IMAGE} is missing: "npm run proto:release" makes it` }
      : await execute(step);
  return { step, ok, output, seconds: Number(secondsSince(start)) };
}

function execute({ command, folder = ROOT }: Step): Promise<{ ok: boolean; output: string }> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const { promise, resolve } = Promise.withResolvers<{ ok: boolean; output: string }>();
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.on("error", (error) => resolve({ ok: false, output: `${program} does not start: ${error.message}` }));
  child.on("close", (code) => resolve({ ok: code === 0, output: Buffer.concat(chunks).toString() }));
  return promise;
}

function secondsSince(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(1);
}
