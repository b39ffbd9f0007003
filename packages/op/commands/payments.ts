import {
  type Payment,
  PaymentSchema,
  PaymentState,
} from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { Command, Option } from "commander";
import { limitOption, moreHint, parseUuid } from "../arguments.ts";
import { answering, jsonOf, operatorCommand } from "../operator-command.ts";
import { readPages } from "../pages.ts";
import { showEnum, showMoney, showTime } from "../show.ts";
import { table } from "../table.ts";
import type { Terminal } from "../terminal.ts";

const STATES = ["processing", "succeeded", "failed", "unknown", "refunding", "refunded"] as const;
type State = (typeof STATES)[number];

/** Those that somebody has to watch. */
const OPEN: readonly State[] = ["unknown", "refunding"];

/** `payments`: whose money is where. */
export function paymentsCommand(terminal: Terminal): Command {
  return new Command("payments")
    .description("See payments: those that nobody knows the outcome of, and all others.")
    .addCommand(listCommand(terminal), { isDefault: true })
    .addCommand(showCommand(terminal));
}

type ListOptions = { state?: State[]; all?: true; event?: string; reservation?: string; limit: number };

function listCommand(terminal: Terminal): Command {
  return operatorCommand("list")
    .description("List payments that are unknown or being refunded, newest first; others where asked.")
    .addOption(new Option("--state <states...>", "only these").choices(STATES))
    .addOption(new Option("--all", "whatever their state").conflicts("state"))
    .option("--event <event>", "only of this event", parseUuid)
    .option("--reservation <reservation>", "only of this reservation", parseUuid)
    .addOption(limitOption())
    .addHelpText("after", "\n`resolve` settles what is unknown, by the payment provider's own books.")
    .action(
      answering(terminal, async ({ payment }, options: ListOptions) => {
        const states = options.all ? [] : (options.state ?? OPEN);
        const filter = {
          states: states.map((state) => PaymentState[state.toUpperCase() as Uppercase<State>]),
          eventId: options.event ?? "",
          reservationId: options.reservation ?? "",
        };
        const { items: payments, hasMore } = await readPages(options.limit, async (page) => {
          const { payments, nextPageToken } = await payment.listPayments({ ...page, ...filter });
          return { items: payments, nextPageToken };
        });
        const rows = payments.map((each) => ({
          payment: each.paymentId,
          state: stateOf(each),
          amount: showMoney(each.amount),
          begun: showTime(each.createTime),
          event: each.eventId,
          why: each.failureReason,
        }));
        const text =
          rows.length === 0 && options.state === undefined && !options.all
            ? "Every payment is settled."
            : table(["payment", "state", "amount", "begun", "event", "why"], rows) + moreHint(hasMore);
        return { json: { payments: payments.map((each) => jsonOf(PaymentSchema, each)), hasMore }, text };
      }),
    );
}

function showCommand(terminal: Terminal): Command {
  return operatorCommand("show")
    .description("Show one payment.")
    .argument("<payment>", "its id", parseUuid)
    .action(
      answering(terminal, async ({ payment }, paymentId: string, _options: object) => {
        const answer = await payment.getPayment({ paymentId });
        return paymentAnswer(answer.payment);
      }),
    );
}

/** A payment, as every command about one shows it. */
export function paymentAnswer(payment: Payment | undefined) {
  if (payment === undefined) throw new Error("the payment service answered without a payment");
  const { paymentId, reservationId, eventId, amount, failureReason, createTime } = payment;
  const text = [
    `${paymentId}: ${stateOf(payment)}${failureReason && ` (${failureReason})`}`,
    `${showMoney(amount)} for reservation ${reservationId}${eventId && ` of event ${eventId}`}`,
    `begun ${showTime(createTime)}`,
  ].join("\n");
  return { json: { payment: jsonOf(PaymentSchema, payment) }, text };
}

const stateOf = ({ state }: Payment): string => showEnum(PaymentState, state);
