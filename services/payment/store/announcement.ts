import { refOf } from "@boxoffice/platform/ref.ts";
import { type Change, ChangeSchema, PaymentState } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Payment, PUBLIC_STATES } from "../domain/payment.ts";

/** A payment as the other services hear of it. */
export function paymentChange(payment: Payment): Change {
  const { paymentId, version, reservationId, state, bill, failureReason, createdAt } = payment;
  return create(ChangeSchema, {
    change: {
      case: "payment",
      value: {
        paymentId,
        version: BigInt(version),
        reservationRef: refOf(reservationId),
        state: PaymentState[PUBLIC_STATES[state]],
        ...(bill && { amount: { currencyCode: bill.currencyCode, minorUnits: bill.amountMinor } }),
        failureReason: failureReason ?? "",
        createTime: timestampFromDate(createdAt),
      },
    },
  });
}
