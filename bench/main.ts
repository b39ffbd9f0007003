/** npm run bench: measures the box office on this machine, as docs/performance.md describes. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type Arguments, HELP, readArguments } from "./arguments.ts";
import { BoxOffice } from "./harness/box-office.ts";
import { disturbance } from "./harness/limits.ts";
import { describeMachine } from "./harness/machine.ts";
import { printProfile } from "./harness/profile.ts";
import { endPrograms } from "./harness/program.ts";
import { printReport, toJson, toMarkdown } from "./harness/report.ts";
import { requireTools } from "./harness/tools.ts";
import type { Mode, Report } from "./mode.ts";

const startedMs = performance.now();
const open: BoxOffice[] = [];

stopWhenTold();
try {
  const what = readArguments(process.argv.slice(2));
  if (what === undefined) console.log(HELP);
  else await measureAll(what);
} catch (error) {
  endPrograms();
  await closeAll();
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function measureAll(what: Arguments): Promise<void> {
  requireTools(what.modes.flatMap(({ tools }) => tools));
  const reports: { mode: Mode; report: Report }[] = [];
  for (const mode of what.modes) {
    tell(`${mode.name}: starting a box office`);
    const report = await measure(mode, what);
    reports.push({ mode, report });
    console.log(`\n== ${mode.name}\n${printReport(report)}\n`);
  }
  const machine = describeMachine(what.pace);
  console.log(machine);
  if (what.out === undefined) return;
  writeFileSync(`${what.out}.md`, toMarkdown(machine, reports));
  writeFileSync(`${what.out}.json`, toJson(machine, reports));
  tell(`written to ${what.out}.md and ${what.out}.json`);
}

/** In a box office of its own, so that modes do not meet each other's rows. */
async function measure(mode: Mode, { pace, profile }: Arguments): Promise<Report> {
  const profiles = profile && { process: profile, folder: mkdtempSync(join(tmpdir(), "boxoffice-profile-")) };
  const openOne = async () => {
    const box = await BoxOffice.open({ settings: mode.settings ?? {}, tell, ...(profiles && { profiles }) });
    open.push(box);
    return box;
  };
  const box = await openOne();
  try {
    const { figures, notes } = await mode.run({ box, openAnother: openOne, pace, tell });
    const windows = open.flatMap((one) => one.windows);
    return { figures, notes: [...disturbance(windows, availableParallelism()), ...notes] };
  } finally {
    endPrograms();
    await closeAll();
    if (profiles) console.log(printProfile(profiles.folder, box.windows));
  }
}

async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((box) => box.close()));
}

/** Everything that was started ends, and nothing of it is left in the temporary folder. */
function stopWhenTold(): void {
  let isStopping = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      tell(`stopping (${signal})`);
      endPrograms();
      void closeAll().finally(() => process.exit(130));
    });
  }
}

function tell(line: string): void {
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  console.error(`${String(seconds).padStart(5)} s  ${line}`);
}
