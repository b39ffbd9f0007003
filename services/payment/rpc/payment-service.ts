import { listAuditEntries } from "@boxoffice/platform/audit.ts";
import { cutPage, parsePage, sortKey } from "@boxoffice/platform/pages.ts";
import { CURRENCY, parseId } from "@boxoffice/platform/parse.ts";
import { actOf, callerOf } from "@boxoffice/platform/rpc/access.ts";
import { type RpcService, service } from "@boxoffice/platform/rpc/service.ts";
import { PaymentOutcome, PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import type { HandlerContext } from "@connectrpc/connect";
import type { Cashier, Wait } from "../cashier.ts";
import { parseReason } from "../domain/acts.ts";
import type { OperatorDesk } from "../operator-desk.ts";
import { noSuchPayment } from "../store/acts.ts";
import type { Ledger } from "../store/ledger.ts";
import { getPayment, listPayments } from "../store/read.ts";
import { statesToldAs, toPaymentMessage } from "./messages.ts";

export type PaymentServiceOptions = {
  ledger: Ledger;
  cashier: Cashier;
  desk: OperatorDesk;
  /** How long an answer may wait for the payment to end, in milliseconds. */
  answerWithinMs: number;
};

/** Of a caller's deadline, what is kept for telling them how far the payment has got, in milliseconds. */
const ANSWER_MARGIN_MS = 500;

/** What buyers and operators ask of payments. */
export function paymentService(options: PaymentServiceOptions): RpcService {
  const { ledger, cashier, desk, answerWithinMs } = options;
  return service(PaymentService, {
    async payReservation(request, context) {
      const order = {
        reservationId: parseId(request.reservationId),
        token: request.token,
        currencyCode: request.currencyCode || CURRENCY,
        requestId: parseOptionalId(request.requestId),
      };
      const { payment, reservation } = await cashier.pay(order, waitOf(context, answerWithinMs));
      return { payment: toPaymentMessage(payment), ...(reservation && { reservation }) };
    },

    async getPayment(request, context) {
      const payment = await getPayment(ledger.database, parseId(request.paymentId));
      if (payment === undefined) throw noSuchPayment();
      // The provider has the payment's id, and so has whoever listens to events: neither may become the buyer by it.
      const isOperator = callerOf(context).kind === "operator";
      return { payment: { ...toPaymentMessage(payment), ...(!isOperator && { reservationId: "" }) } };
    },

    async listPayments(request) {
      const { size, after } = parsePage(request, sortKey.id);
      const filter = {
        states: request.states.length === 0 ? null : statesToldAs(request.states),
        eventId: parseOptionalId(request.eventId),
        reservationId: parseOptionalId(request.reservationId),
      };
      const payments = await listPayments(ledger.database, filter, after?.[0], size + 1);
      const { page, nextPageToken } = cutPage(payments, size, ({ paymentId }) => [paymentId]);
      return { payments: page.map(toPaymentMessage), nextPageToken };
    },

    async resolvePayment(request, context) {
      const outcome = OUTCOMES[request.outcome];
      if (outcome === undefined) throw new Error("the contract's rules let no other outcome through");
      const payment = await desk.perform({ ...actOn(request, context), kind: "resolve", outcome });
      return { payment: toPaymentMessage(payment) };
    },

    async refundPayment(request, context) {
      const { keepOffSale: keepsOffSale } = request;
      const payment = await desk.perform({ ...actOn(request, context), kind: "refund", keepsOffSale });
      return { payment: toPaymentMessage(payment) };
    },

    listAuditEntries: (request) => listAuditEntries(ledger.database, "payment", request),
  });
}

/** A caller with a deadline is told PROCESSING before it, rather than nothing at it. */
function waitOf(context: HandlerContext, limitMs: number): Wait {
  const leftMs = context.timeoutMs() ?? Number.POSITIVE_INFINITY;
  return { ms: Math.max(0, Math.min(limitMs, leftMs - ANSWER_MARGIN_MS)), signal: context.signal };
}

/** What acts have in common: on what, who and why. */
function actOn(request: { paymentId: string; reason: string; requestId: string }, context: HandlerContext) {
  return {
    ...actOf(context, parseReason(request.reason)),
    paymentId: parseId(request.paymentId),
    requestId: parseOptionalId(request.requestId),
  };
}

const OUTCOMES: Partial<Record<PaymentOutcome, "CHARGED" | "FAILED" | "REFUNDED">> = {
  [PaymentOutcome.CHARGED]: "CHARGED",
  [PaymentOutcome.FAILED]: "FAILED",
  [PaymentOutcome.REFUNDED]: "REFUNDED",
};

const parseOptionalId = (id: string): string | null => (id === "" ? null : parseId(id));
