/** Keeps the address of a file until the browser has begun to save it, in milliseconds. */
const SAVING_MS = 60_000;

/** Gathers the lines of a stream into a file that the browser saves. Nothing is saved of one that breaks off. */
export async function saveCsv(name: string, lines: AsyncIterable<{ csv: string }>): Promise<void> {
  const parts: string[] = [];
  for await (const { csv } of lines) parts.push(csv);
  const url = URL.createObjectURL(new Blob(parts, { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${name.replace(/[^\p{L}\p{N} ._-]+/gu, " ").trim()}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), SAVING_MS);
}
