import type { Finding } from "./run.ts";

const SHOWN = 10;

/** Whether anything was found that may not be. */
export const isBroken = ({ violations, died, late }: Finding): boolean =>
  violations.length + died.length + late.length > 0;

/** A row per fault, as a table in Markdown, and below it everything that was wrong. */
export function tableOf(findings: readonly Finding[]): string {
  const head = [
    "fault",
    "done",
    "violations",
    "served badly for",
    "died by themselves",
    "errors that buyers saw",
  ];
  const rows = findings.map((finding) =>
    finding.skipped !== undefined
      ? [finding.name, `skipped: ${finding.skipped}`, "", "", "", ""]
      : [
          finding.name,
          countsOf(finding.counts),
          String(finding.violations.length),
          timeOf(finding),
          String(finding.died.length),
          countsOf(finding.errors) || "none",
        ],
  );
  const widths = head.map((title, index) =>
    Math.max(...[head, ...rows].map((row) => row[index]?.length ?? 0), title.length),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [line(head), rule, ...rows.map(line), ...findings.flatMap(wrongIn)].join("\n");
}

/** Everything that was wrong, or its beginning, a line each. */
export function wrongIn({ name, violations, died, late }: Finding): string[] {
  const wrong = [...violations, ...died, ...late];
  const more = wrong.length > SHOWN ? [`${name}: and ${wrong.length - SHOWN} more`] : [];
  return [...wrong.slice(0, SHOWN).map((text) => `${name}: ${text}`), ...more];
}

const countsOf = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([what, count]) => `${what} ${count.toLocaleString("en")}`)
    .join(", ");

function timeOf({ backMs, isBusy }: Finding): string {
  if (backMs === null) return "-";
  return `${(backMs / 1_000).toFixed(1)} s${isBusy ? " (errors alone)" : ""}`;
}
