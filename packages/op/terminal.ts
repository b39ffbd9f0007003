import type { Exit } from "./failure.ts";

/** Where a command is told things, and tells them. */
export type Terminal = {
  env: Record<string, string | undefined>;
  out(text: string): void;
  err(text: string): void;
  /** How the process is to end. */
  end(exit: Exit): void;
};

export const processTerminal: Terminal = {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  end(exit) {
    process.exitCode = exit;
  },
};
