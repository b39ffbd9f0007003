import { listAuditEntries } from "@boxoffice/platform/audit.ts";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { cutPage, parsePage, sortKey } from "@boxoffice/platform/pages.ts";
import { CURRENCY, parseId } from "@boxoffice/platform/parse.ts";
import { type RpcService, service } from "@boxoffice/platform/rpc/service.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import type { HandlerContext } from "@connectrpc/connect";
import type { Cashier, Wait } from "../cashier.ts";
import type { Ledger } from "../store/change.ts";
import { getPayment, listPayments } from "../store/read.ts";
import { statesToldAs, toPaymentMessage } from "./messages.ts";

export type PaymentServiceOptions = {
  ledger: Ledger;
  cashier: Cashier;
  /** How long an answer may wait for the payment to end, in milliseconds. */
  answerWithinMs: number;
};

/** Of a caller's deadline, what is kept for telling them how far the payment has got, in milliseconds. */
const ANSWER_MARGIN_MS = 500;

/** What buyers and operators ask of payments. */
export function paymentService({ ledger, cashier, answerWithinMs }: PaymentServiceOptions): RpcService {
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

    async getPayment(request) {
      const payment = await getPayment(ledger.database, parseId(request.paymentId));
      if (payment === undefined) throw new BoxofficeError("PAYMENT_NOT_FOUND", "There is no such payment.");
      return { payment: toPaymentMessage(payment) };
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

    listAuditEntries: (request) => listAuditEntries(ledger.database, "payment", request),
  });
}

/** A caller with a deadline is told PROCESSING before it, rather than nothing at it. */
function waitOf(context: HandlerContext, limitMs: number): Wait {
  const leftMs = context.timeoutMs() ?? Number.POSITIVE_INFINITY;
  return { ms: Math.max(0, Math.min(limitMs, leftMs - ANSWER_MARGIN_MS)), signal: context.signal };
}

const parseOptionalId = (id: string): string | null => (id === "" ? null : parseId(id));
