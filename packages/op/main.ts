import { Command } from "commander";
import { tokenCommand } from "./token.ts";

const program = new Command("npm run op --")
  .description("What an operator does from the command line.")
  .showHelpAfterError("(--help tells what it takes)")
  .addCommand(tokenCommand());

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
