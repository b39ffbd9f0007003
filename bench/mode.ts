import type { BoxOffice } from "./harness/box-office.ts";
import type { Tool } from "./harness/tools.ts";

/** One thing that `npm run bench -- <name>` measures. */
export type Mode = {
  name: string;
  /** What is measured, in a line of `--help`. */
  summary: string;
  /** Programs that must be installed. */
  tools: readonly Tool[];
  /** Settings of the processes that differ from what every mode runs with. */
  settings?: Record<string, string>;
  run(bench: Bench): Promise<Report>;
};

/** What a mode gets to work with. */
export type Bench = {
  /** A box office of the mode's own, empty. */
  box: BoxOffice;
  /** Opens one more, which is closed with the first. */
  openAnother(): Promise<BoxOffice>;
  pace: Pace;
  /** Says what is being done. */
  tell(line: string): void;
};

/** How long things are measured, and how often. */
export type Pace = {
  /** Rounds, in each of which everything is measured once, so that the machine's moods meet everything alike. */
  runs: number;
  /** Before a window, under the same load. */
  warmUpSeconds: number;
  /** What is measured. */
  windowSeconds: number;
  /** Shorter and smaller, to try whether it works. Figures mean nothing then. */
  isQuick: boolean;
};

export type Report = {
  figures: Figure[];
  /** What explains the figures: batch sizes, CPU, what the limit was. */
  notes: string[];
};

/** One line of the table. */
export type Figure = {
  what: string;
  /** One value for each run. */
  values: number[];
  unit: "/s" | "ms" | "s" | "µs" | "";
  /** What the values are set against, run by run. */
  against?: { name: string; values: number[] };
  target?: Target;
};

/** What is asked of a figure: of its ratio where it is set against something, of itself otherwise. */
export type Target = {
  first?: number;
  /** What comes after. */
  goal: number;
  /** Smaller is better. */
  atMost?: boolean;
};
