type Cell = string | number | bigint | undefined;

/** A table for a terminal: a line of headings, then a line a row; numbers stand on the right. */
export function table<Column extends string>(
  columns: readonly Column[],
  rows: readonly Record<Column, Cell>[],
): string {
  const shown = columns.map((column) => {
    const cells = rows.map((row) => String(row[column] ?? ""));
    const isNumeric = rows.length > 0 && rows.every((row) => typeof row[column] !== "string");
    const width = Math.max(column.length, ...cells.map((cell) => cell.length));
    const pad = (text: string) => (isNumeric ? text.padStart(width) : text.padEnd(width));
    return [pad(column.toUpperCase()), ...cells.map(pad)];
  });
  const height = rows.length + 1;
  return Array.from({ length: height }, (_, line) =>
    shown
      .map((cells) => cells[line])
      .join("  ")
      .trimEnd(),
  ).join("\n");
}
