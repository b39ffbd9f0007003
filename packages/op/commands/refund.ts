import type { Command } from "commander";
import { parseUuid } from "../arguments.ts";
import { answering, operatorCommand } from "../operator-command.ts";
import { refundEvent } from "../refund-event.ts";
import type { Terminal } from "../terminal.ts";
import { paymentAnswer } from "./payments.ts";

type RefundOptions = { event?: string; reason: string; keepOffSale?: true };

/** `refund`: gives money back. */
export function refundCommand(terminal: Terminal): Command {
  return operatorCommand("refund")
    .description("Give the money of a payment back, or that of all payments of a cancelled event.")
    .argument("[payment]", "its id", parseUuid)
    .option("--event <event>", "instead of one payment: all that were paid for this event", parseUuid)
    .requiredOption("--reason <text>", "why; the audit keeps it")
    .option("--keep-off-sale", "do not sell the tickets again")
    .addHelpText("after", HELP)
    .action(
      answering(terminal, async (services, paymentId: string | undefined, options: RefundOptions) => {
        const { event: eventId, reason, keepOffSale = false } = options;
        if ((paymentId === undefined) === (eventId === undefined)) {
          throw new Error("Name one payment, or an event with --event.");
        }
        if (eventId !== undefined) {
          return refundEvent(services, { eventId, reason, keepOffSale }, (line) => terminal.err(`${line}\n`));
        }
        const request = { paymentId: paymentId ?? "", reason, keepOffSale };
        return paymentAnswer((await services.payment.refundPayment(request)).payment);
      }),
    );
}

const HELP = `
The reservation is cancelled once the money is back; until then the payment is "refunding", and the box office goes
on with it by itself.

With --event it tells how far it has got. It may be stopped at any time: the same command goes on where it was. Ends
with 2 where payments are left that it cannot give back yet.`;
