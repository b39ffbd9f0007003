import { type PaymentSchema, PaymentState } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  PAYMENT_STATES,
  type Payment,
  PUBLIC_STATES,
  type PaymentState as State,
} from "../domain/payment.ts";

export function toPaymentMessage(payment: Payment): MessageInitShape<typeof PaymentSchema> {
  const { paymentId, reservationId, state, bill, failureReason, createdAt } = payment;
  return {
    paymentId,
    reservationId,
    eventId: bill?.eventId ?? "",
    state: PaymentState[PUBLIC_STATES[state]],
    ...(bill && { amount: { currencyCode: bill.currencyCode, minorUnits: bill.amountMinor } }),
    failureReason: failureReason ?? "",
    createTime: timestampFromDate(createdAt),
  };
}

/** The states that readers are told as one of these. */
export function statesToldAs(states: readonly PaymentState[]): State[] {
  return PAYMENT_STATES.filter((state) => states.includes(PaymentState[PUBLIC_STATES[state]]));
}
