import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Programs that the bench does not bring along, with the Debian package that holds each. */
const PACKAGES = { pgbench: "postgresql-contrib", h2load: "nghttp2-client", wrk: "wrk" } as const;
export type Tool = keyof typeof PACKAGES;

/** Debian keeps PostgreSQL's programs apart by version, and off the PATH. */
const POSTGRES_FOLDER = "/usr/lib/postgresql";

/** Where a program is, or undefined. */
export function findTool(tool: Tool): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return [...folders, ...postgresFolders()].map((folder) => join(folder, tool)).find(isProgram);
}

/** @throws Error that says what to install for each program that is missing */
export function requireTools(tools: readonly Tool[]): void {
  const missing = [...new Set(tools)].filter((tool) => findTool(tool) === undefined);
  if (missing.length === 0) return;
  const packages = missing.map((tool) => PACKAGES[tool]);
  throw new Error(
    `The bench needs ${missing.join(" and ")}. On Debian or Ubuntu: apt-get install ${packages.join(" ")}`,
  );
}

function postgresFolders(): string[] {
  if (!existsSync(POSTGRES_FOLDER)) return [];
  return readdirSync(POSTGRES_FOLDER)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(POSTGRES_FOLDER, version, "bin"));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
