import { stringify } from "csv-stringify/sync";

/** What a cell may hold. Times are written as ISO 8601 in UTC; null and undefined leave the cell empty. */
export type Cell = string | number | bigint | Date | null | undefined;

/**
 * Lines of CSV (RFC 4180). Text that a spreadsheet would run as a formula, because it begins with = + - @, a tab or a
 * carriage return, gets an apostrophe before it: names come from buyers.
 */
export function csvLines(rows: readonly (readonly Cell[])[]): string {
  return stringify(rows as Cell[][], {
    record_delimiter: "\r\n",
    escape_formulas: true,
    quoted_match: /[\r\n]/, // some readers take either alone for the end of a line
    cast: { date: (value) => value.toISOString() },
  });
}

/** An amount in cents as a decimal number, which spreadsheets add up: 1234 is 12.34. */
export function csvAmount(minorUnits: bigint): string {
  const digits = String(minorUnits).padStart(3, "0");
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
