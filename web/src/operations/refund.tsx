import { type Payment, PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { useState } from "react";
import { newRequestId } from "../api/request-id.ts";
import { useLanguage } from "../language/language.tsx";
import { ActDialog } from "./act-dialog.tsx";
import { useAct } from "./use-act.ts";
import { useWords } from "./use-words.ts";

/** Gives the whole amount of a payment back, and cancels its reservation. */
export function Refund({ payment, onEnd }: { payment: Payment; onEnd(): void }) {
  const { format } = useLanguage();
  const { payments: say } = useWords();
  const [requestId] = useState(newRequestId);
  const [keepOffSale, setKeepOffSale] = useState(false);
  const act = useAct(PaymentService.method.refundPayment, onEnd);
  return (
    <ActDialog
      title={say.refund.title}
      advice={say.refund.advice(format.money(payment.amount))}
      confirm={say.refund.confirm}
      isDanger
      isReasonRequired
      isBusy={act.isPending}
      error={act.error}
      onConfirm={(reason) => act.mutate({ paymentId: payment.paymentId, keepOffSale, reason, requestId })}
      onDismiss={onEnd}
    >
      <label className="check">
        <input
          type="checkbox"
          checked={keepOffSale}
          onChange={(event) => setKeepOffSale(event.target.checked)}
        />
        <span>{say.refund.keepOffSale}</span>
      </label>
    </ActDialog>
  );
}
