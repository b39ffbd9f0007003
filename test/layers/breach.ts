import type { Edge, SourceFile } from "./graph.ts";

/** Where a rule is broken, and what stands there: `imports "pg"`, `uses Date.now`. */
export type Breach = { file: string; line: number; found: string };

/** The breach that an import is. */
export function importBreach({ path }: SourceFile, { line, specifier }: Edge, remark = ""): Breach {
  return { file: path, line, found: `imports "${specifier}"${remark}` };
}
