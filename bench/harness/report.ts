import type { Figure, Report } from "../mode.ts";
import { median, spread } from "./numbers.ts";

/** A figure as it is shown. */
type Line = { what: string; measured: string; against: string; ratio: string; target: string; met: string };

const HEADS: Line = {
  what: "what",
  measured: "measured",
  against: "against",
  ratio: "ratio (least to most)",
  target: "first / then",
  met: "met",
};

/** The figures as a table for the terminal, and what explains them. */
export function printReport({ figures, notes }: Report): string {
  const lines = [HEADS, ...figures.map(lineOf)];
  const columns = Object.keys(HEADS) as (keyof Line)[];
  const widths = columns.map((column) => Math.max(...lines.map((line) => line[column].length)));
  const rows = lines.map((line) =>
    columns
      .map((column, index) => line[column].padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const [head = "", ...rest] = rows;
  return [head, "-".repeat(head.length), ...rest, "", ...notes].join("\n");
}

/** All reports as a document. */
export function toMarkdown(machine: string, reports: readonly ModeReport[]): string {
  const tables = reports.flatMap(({ mode, report }) => [`## ${mode.name}`, "", markdownTable(report), ""]);
  return ["# What the bench measured", "", machine, "", ...tables].join("\n");
}

/** All reports for a program. */
export function toJson(machine: string, reports: readonly ModeReport[]): string {
  const modes = reports.map(({ mode, report: { figures, notes } }) => ({
    mode: mode.name,
    figures: figures.map((figure) => ({ ...figure, ratio: ratioOf(figure), verdict: verdictOn(figure) })),
    notes,
  }));
  return `${JSON.stringify({ machine, measuredAt: new Date(), modes }, undefined, 2)}\n`;
}

type ModeReport = { mode: { name: string }; report: Report };

function markdownTable({ figures, notes }: Report): string {
  const columns = Object.keys(HEADS) as (keyof Line)[];
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    row(columns.map((column) => HEADS[column])),
    row(columns.map(() => "---")),
    ...figures.map(lineOf).map((line) => row(columns.map((column) => line[column]))),
    "",
    ...notes.map((note) => `- ${note}`),
  ].join("\n");
}

/** How a figure stands to its target: `then` includes `first`. */
export function verdictOn(figure: Figure): "then" | "first" | "not yet" | "missed" | "" {
  const { target } = figure;
  if (target === undefined || figure.values.length === 0) return "";
  const value = ratioOf(figure) ?? median(figure.values);
  const reaches = (bound: number) => (target.atMost ? value <= bound : value >= bound);
  if (reaches(target.goal)) return "then";
  if (target.first === undefined) return "not yet";
  return reaches(target.first) ? "first" : "missed";
}

/** The median over that of what it is set against. */
export function ratioOf({ values, against }: Figure): number | undefined {
  return against && median(values) / median(against.values);
}

function lineOf(figure: Figure): Line {
  const { what, values, unit, against, target } = figure;
  const ratio = ratioOf(figure);
  const bound = (value: number | undefined) => {
    if (value === undefined) return "-";
    return ratio === undefined ? withUnit(value, unit) : `${value} x`;
  };
  return {
    what,
    measured: withSpread(values, unit),
    against: against ? `${against.name} ${withUnit(median(against.values), unit)}` : "",
    ratio: ratio === undefined ? "" : ratioWithSpread(ratio, figure),
    target: target ? [target.first, target.goal].map(bound).join(" / ") : "",
    met: verdictOn(figure),
  };
}

/** The spread of the ratios of single rounds, in each of which both were measured one after the other. */
function ratioWithSpread(ratio: number, { values, against }: Figure): string {
  const single = values.flatMap((value, run) => {
    const other = against?.values[run];
    return other === undefined ? [] : [value / other];
  });
  const { least, most } = spread(single);
  return `${ratio.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
}

function withSpread(values: readonly number[], unit: Figure["unit"]): string {
  const { least, most } = spread(values);
  const middle = withUnit(median(values), unit);
  return values.length === 1 ? middle : `${middle} (${plain(least)} to ${plain(most)})`;
}

function withUnit(value: number, unit: Figure["unit"]): string {
  return unit === "/s" || unit === "" ? `${plain(value)}${unit}` : `${plain(value)} ${unit}`;
}

/** Three digits are as many as can be trusted. */
function plain(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}
