import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";

const FIXTURE = join(import.meta.dirname, "fixtures", "process.ts");

/** Runs the fixture and sends it each signal as soon as it has started. */
async function run(behaviour: string, ...signals: NodeJS.Signals[]) {
  const child = spawn(process.execPath, [FIXTURE, behaviour], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (text.includes("started")) for (const signal of signals) child.kill(signal);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const [exitCode] = await once(child, "close");
  const lines = output.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
  return { exitCode, lines, errors, output };
}

test.each(["SIGTERM", "SIGINT"] as const)("%s releases in reverse order and ends with 0", async (signal) => {
  const { exitCode, lines } = await run("good", signal);
  expect(lines).toEqual(["started", "loop ended", "released second", "released first"]);
  expect(exitCode).toBe(0);
});

test("a second signal does not release anything twice", async () => {
  const { exitCode, lines } = await run("good", "SIGTERM", "SIGTERM", "SIGINT");
  expect(lines.filter((line) => line === "released first")).toHaveLength(1);
  expect(exitCode).toBe(0);
});

test("a wrong setting ends the process with one sentence", async () => {
  expect(await run("wrong setting")).toMatchObject({ exitCode: 2, errors: "CATALOG_PORT is not set\n" });
});

test.each([
  ["failed start", "could not start"],
  ["forgotten promise", "a promise was rejected and nobody awaited it"],
  ["failing loop", "an exception was not caught"],
])("a %s ends the process with 1, after it released what it held", async (behaviour, message) => {
  const { exitCode, output, lines } = await run(behaviour);
  expect(exitCode).toBe(1);
  expect(output).toContain(message);
  if (behaviour !== "failed start") expect(lines).toContain("released first");
});
