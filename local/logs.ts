import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";

const MAX_BYTES = 10 * 1024 * 1024;

/** A log file that never takes more than twice `maxBytes`: when full, it becomes `<file>.1` and begins anew. */
export class LogFile {
  readonly #file: string;
  readonly #maxBytes: number;
  #descriptor: number;
  #bytes: number;

  constructor(file: string, maxBytes: number = MAX_BYTES) {
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#descriptor = openSync(file, "a");
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  write(line: string): void {
    if (this.#bytes > this.#maxBytes) this.#rotate();
    try {
      this.#bytes += writeSync(this.#descriptor, `${line}\n`);
    } catch {
      // A full disk must not take the stack down with it.
    }
  }

  #rotate(): void {
    closeSync(this.#descriptor);
    renameSync(this.#file, `${this.#file}.1`);
    this.#descriptor = openSync(this.#file, "a");
    this.#bytes = 0;
  }
}

/** Cuts a stream of text into lines; a line longer than `maxLength` characters is cut off there. */
export function splitLines(onLine: (line: string) => void, maxLength = 65_536): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = (lines.pop() ?? "").slice(0, maxLength);
    for (const line of lines) onLine(line.slice(0, maxLength));
  };
}

/**
 * What a person at the terminal should read of a line of some process's output: warnings and errors in one
 * short line, and everything of unknown form, such as a stack trace; undefined for all else.
 */
export function worthReading(line: string): string | undefined {
  if (line.trim() === "") return undefined;
  if (line.startsWith("{")) return readPino(line);
  if (line.startsWith("\t")) return undefined; // how PostgreSQL continues a statement on the next line
  if (/ (LOG|DETAIL|HINT|STATEMENT|CONTEXT|ERROR|WARNING|NOTICE|INFO): {2}/.test(line)) return undefined; // PostgreSQL
  if (/^\[\d+\] .*\[(INF|DBG|TRC|WRN)\]/.test(line)) return undefined; // nats-server
  return line;
}

function readPino(line: string): string | undefined {
  try {
    const { level, msg, error } = JSON.parse(line) as Record<string, unknown>;
    if (level !== "warn" && level !== "error" && level !== "fatal") return undefined;
    const cause =
      typeof error === "object" && error !== null && "message" in error ? error.message : undefined;
    return cause === undefined ? `${level}: ${msg}` : `${level}: ${msg} (${cause})`;
  } catch {
    return line;
  }
}
