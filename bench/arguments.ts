import { parseArgs } from "node:util";
import { PROCESSES, type ProcessName } from "../local/config.ts";
import type { Mode, Pace } from "./mode.ts";
import { MODES } from "./modes.ts";

export type Arguments = {
  modes: readonly Mode[];
  pace: Pace;
  /** Where the report goes, without its ending. */
  out: string | undefined;
  /** The process whose CPU profile is shown. */
  profile: ProcessName | undefined;
};

const DEFAULT_RUNS = 3;
const MAX_RUNS = 99;
const PACE = { warmUpSeconds: 2, windowSeconds: 6, isQuick: false };
const QUICK_PACE = { warmUpSeconds: 0.5, windowSeconds: 1, isQuick: true };

const width = Math.max(...MODES.map(({ name }) => name.length));

export const HELP = `npm run bench -- [MODE...] [OPTION...]

Measures a box office of its own: every process, on free ports, with its data in a temporary folder, fsync and
synchronous_commit on. Without a MODE all are measured, one after the other.

${MODES.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join("\n")}

  --runs N           rounds, of which the median counts (${DEFAULT_RUNS})
  --quick            short windows and small tables, to see whether it works; the figures mean nothing
  --out FILE         writes the report to FILE.md and FILE.json
  --profile PROCESS  shows where a process spends its CPU time: ${PROCESSES.join(", ")}
  --help             shows this

What is measured and how, and the figures so far: docs/performance.md`;

/**
 * Reads the command line; undefined where help was asked for.
 *
 * @throws Error with a sentence on what is wrong
 */
export function readArguments(argv: readonly string[]): Arguments | undefined {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      runs: { type: "string", default: String(DEFAULT_RUNS) },
      quick: { type: "boolean", default: false },
      out: { type: "string" },
      profile: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const unknown = positionals.find((name) => !MODES.some((mode) => mode.name === name));
  if (unknown !== undefined) {
    throw new Error(`There is no mode ${unknown}: there are ${MODES.map(({ name }) => name).join(", ")}.`);
  }
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1 || runs > MAX_RUNS)
    throw new Error(`--runs must be a whole number from 1 to ${MAX_RUNS}.`);
  const profile = PROCESSES.find((name) => name === values.profile);
  if (values.profile !== undefined && profile === undefined)
    throw new Error(`--profile must name one of ${PROCESSES.join(", ")}.`);
  return {
    modes: positionals.length === 0 ? MODES : MODES.filter(({ name }) => positionals.includes(name)),
    pace: { runs, ...(values.quick ? QUICK_PACE : PACE) },
    out: values.out,
    profile,
  };
}
