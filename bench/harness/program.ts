import { type ChildProcess, spawn } from "node:child_process";

/** A program that puts load on the box office, while it runs. */
export type Program = {
  /** Resolves when it has begun to send. */
  started: Promise<void>;
  /** Resolves to what it printed, when it has ended by itself. */
  printed: Promise<string>;
};

const running = new Set<ChildProcess>();
const LINES_IN_ERROR = 10;

/**
 * Runs a program to its end.
 *
 * @param startsWith a line with which it says that it has begun; without one it has at once
 * @throws from `printed`, with the end of what it printed, where it fails
 */
export function runProgram(
  command: string,
  args: readonly string[],
  options: { input?: string; startsWith?: string; env?: Record<string, string> } = {},
): Program {
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
  });
  running.add(child);
  child.stdin.on("error", () => {}).end(options.input);
  const begun = Promise.withResolvers<void>();
  begun.promise.catch(() => {}); // `printed` says it too
  if (options.startsWith === undefined) begun.resolve();
  let output = "";
  let complaints = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (options.startsWith !== undefined && output.startsWith(options.startsWith)) begun.resolve();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  const printed = new Promise<string>((resolve, reject) => {
    const fail = (why: string) => {
      const last = `${output}${complaints}`.trim().split("\n").slice(-LINES_IN_ERROR).join("\n");
      const error = new Error(`${command} failed (${why}). It printed:\n${last}`);
      begun.reject(error);
      reject(error);
    };
    child.once("error", (error) => fail(error.message));
    child.once("close", (code, signal) => {
      running.delete(child);
      if (code === 0) resolve(output);
      else fail(signal ?? `exit code ${code}`);
    });
  });
  printed.catch(() => {}); // whoever started it awaits it, a little later
  return { started: begun.promise, printed };
}

/** Ends every program that still runs. */
export function endPrograms(): void {
  for (const child of running) child.kill("SIGKILL");
}
