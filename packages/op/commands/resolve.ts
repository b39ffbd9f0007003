import { PaymentOutcome } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { Argument, type Command } from "commander";
import { parseUuid } from "../arguments.ts";
import { answering, operatorCommand } from "../operator-command.ts";
import type { Terminal } from "../terminal.ts";
import { paymentAnswer } from "./payments.ts";

const OUTCOMES = {
  charged: PaymentOutcome.CHARGED,
  failed: PaymentOutcome.FAILED,
  refunded: PaymentOutcome.REFUNDED,
} as const;
type Outcome = keyof typeof OUTCOMES;

/** `resolve`: says what the provider did not. */
export function resolveCommand(terminal: Terminal): Command {
  return operatorCommand("resolve")
    .description("Settle a payment by hand, after a look into the payment provider's own books.")
    .argument("<payment>", "its id", parseUuid)
    .addArgument(new Argument("<outcome>", "what became of the money").choices(Object.keys(OUTCOMES)))
    .requiredOption("--reason <text>", "why; the audit keeps it")
    .addHelpText("after", HELP)
    .action(
      answering(
        terminal,
        async ({ payment }, paymentId: string, outcome: Outcome, { reason }: { reason: string }) => {
          const answer = await payment.resolvePayment({ paymentId, outcome: OUTCOMES[outcome], reason });
          return paymentAnswer(answer.payment);
        },
      ),
    );
}

const HELP = `
  charged   of an unknown payment: the money was taken, and the reservation becomes paid
  failed    of an unknown payment: it was not and will not be, and the hold is given back
  refunded  of a payment that is being refunded: the money is back already, by another way

Should a payment that was called failed turn out to have been charged, its money is given back.`;
