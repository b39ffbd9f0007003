import { Command, CommanderError } from "commander";
import { auditCommand } from "./commands/audit.ts";
import { cancelCommand, pauseCommand, publishCommand, quantityCommand } from "./commands/event-acts.ts";
import { eventsCommand } from "./commands/events.ts";
import { keysCommand } from "./commands/keys.ts";
import { paymentsCommand } from "./commands/payments.ts";
import { recountCommand } from "./commands/recount.ts";
import { refundCommand } from "./commands/refund.ts";
import { reservationsCommand } from "./commands/reservations.ts";
import { resolveCommand } from "./commands/resolve.ts";
import { secretsCommand } from "./commands/secrets.ts";
import { statsCommand } from "./commands/stats.ts";
import { tokenCommand } from "./commands/token.ts";
import { describeFailure, EXIT, toFailure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** Runs one command, from its arguments to how it ends. It never rejects. */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const program = createProgram(terminal);
  for (const command of [program, ...descendants(program)]) {
    command
      .exitOverride()
      .showHelpAfterError("(--help tells what it takes)")
      .configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  }
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      terminal.end(error.exitCode === 0 ? EXIT.done : EXIT.refused); // it has said what is wrong
      return;
    }
    const failure = toFailure(error);
    terminal.err(`${describeFailure(failure)}\n`);
    terminal.end(failure.exit);
  }
}

function createProgram(terminal: Terminal): Command {
  return new Command("npm run op --")
    .description("What an operator does from the command line.")
    .addCommand(eventsCommand(terminal))
    .addCommand(publishCommand(terminal))
    .addCommand(quantityCommand(terminal))
    .addCommand(pauseCommand(terminal, "pause"))
    .addCommand(pauseCommand(terminal, "resume"))
    .addCommand(cancelCommand(terminal))
    .addCommand(reservationsCommand(terminal))
    .addCommand(statsCommand(terminal))
    .addCommand(auditCommand(terminal))
    .addCommand(paymentsCommand(terminal))
    .addCommand(recountCommand(terminal))
    .addCommand(refundCommand(terminal))
    .addCommand(resolveCommand(terminal))
    .addCommand(tokenCommand(terminal))
    .addCommand(keysCommand(terminal))
    .addCommand(secretsCommand(terminal))
    .addHelpText("after", HELP);
}

const HELP = `
Commands call the services by gRPC: at <SERVICE>_ADDRESS, or on this machine at <SERVICE>_PORT. They show the
token in BOXOFFICE_TOKEN, or one made for you with the key of "npm start" (in BOXOFFICE_DATA), and the audit names
its holder.

Exit codes: 0 done; 1 wrong arguments, or refused; 2 answered, and something is not as it should be; 3 nobody
answered, and trying again is safe.

In scripts, keep npm quiet:  npm run --silent op -- events list --json`;

const descendants = ({ commands }: Command): Command[] =>
  commands.flatMap((command) => [command, ...descendants(command)]);
