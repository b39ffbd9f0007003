import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { HELP, readArguments } from "../arguments.ts";
import { endPrograms, runProgram } from "../harness/program.ts";
import { findTool, requireTools } from "../harness/tools.ts";
import { MODES } from "../modes.ts";

test("without a mode all are measured, in their order, three times", () => {
  const all = readArguments([]);
  expect(all?.modes).toEqual(MODES);
  expect(all?.pace.runs).toBe(3);
  expect(all?.pace.isQuick).toBe(false);
});

test("modes, runs and where the report goes", () => {
  const some = readArguments([
    "reserve",
    "--runs",
    "5",
    "--quick",
    "--out",
    "report",
    "--profile",
    "gateway",
  ]);
  expect(some?.modes.map(({ name }) => name)).toEqual(["reserve"]);
  expect(some).toMatchObject({ pace: { runs: 5, isQuick: true }, out: "report", profile: "gateway" });
});

test.each([
  [["resrve"], "There is no mode resrve"],
  [["--runs", "0"], "--runs must be"],
  [["--runs", "many"], "--runs must be"],
  [["--profile", "postgres"], "--profile must name"],
  [["--fast"], "--fast"],
])("%j is refused with a sentence", (argv, sentence) => {
  expect(() => readArguments(argv)).toThrow(sentence);
});

test("help names every mode", () => {
  expect(readArguments(["--help"])).toBeUndefined();
  for (const { name, summary } of MODES)
    expect(HELP).toContain(`${name}  `.slice(0, name.length + 1) && summary);
});

const folder = mkdtempSync(join(tmpdir(), "boxoffice-tools-"));
afterEach(() => {
  vi.unstubAllEnvs();
  endPrograms();
});

test("a missing program is named with the package to install", () => {
  vi.stubEnv("PATH", folder);
  expect(() => requireTools(["wrk", "h2load", "wrk"])).toThrow(
    "The bench needs wrk and h2load. On Debian or Ubuntu: apt-get install wrk nghttp2-client",
  );
});

test("a program on the PATH is found", () => {
  vi.stubEnv("PATH", folder);
  const file = join(folder, "wrk");
  writeFileSync(file, "#!/bin/sh\n");
  chmodSync(file, 0o755);
  expect(findTool("wrk")).toBe(file);
  expect(() => requireTools(["wrk"])).not.toThrow();
  rmSync(folder, { recursive: true });
});

test("what a program that fails has printed is in the error", async () => {
  const { started, printed } = runProgram("/bin/sh", ["-c", "echo no table >&2; exit 3"], {
    startsWith: "go",
  });
  await expect(printed).rejects.toThrow(/exit code 3.*no table/s);
  await expect(started).rejects.toThrow("no table");
});

test("programs that still run can all be ended", async () => {
  const { started, printed } = runProgram("/bin/sh", ["-c", "echo go; exec sleep 60"], { startsWith: "go" });
  await started;
  endPrograms();
  await expect(printed).rejects.toThrow("SIGKILL");
});
