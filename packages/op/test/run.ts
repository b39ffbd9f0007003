import { runCommand } from "../program.ts";

/** Runs a command in this process, and gives what it said and how it ended. */
export async function run(args: readonly string[], env: Record<string, string>) {
  const ended = { stdout: "", stderr: "", status: 0 };
  await runCommand(args, {
    env,
    out: (text) => {
      ended.stdout += text;
    },
    err: (text) => {
      ended.stderr += text;
    },
    end: (exit) => {
      ended.status = exit;
    },
  });
  return ended;
}
