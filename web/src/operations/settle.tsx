import {
  type Payment,
  PaymentOutcome,
  PaymentService,
  PaymentState,
} from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { useState } from "react";
import { newRequestId } from "../api/request-id.ts";
import { useLanguage } from "../language/language.tsx";
import { ActDialog } from "./act-dialog.tsx";
import { useAct } from "./use-act.ts";
import { useWords } from "./use-words.ts";

const OUTCOMES = {
  charged: PaymentOutcome.CHARGED,
  failed: PaymentOutcome.FAILED,
  refunded: PaymentOutcome.REFUNDED,
} as const;

type OutcomeName = keyof typeof OUTCOMES;

/** Settles a payment whose outcome the provider does not tell, by what its books say. */
export function Settle({ payment, onEnd }: { payment: Payment; onEnd(): void }) {
  const { format } = useLanguage();
  const { payments: say } = useWords();
  const [requestId] = useState(newRequestId);
  const [chosen, setChosen] = useState<OutcomeName | undefined>();
  const act = useAct(PaymentService.method.resolvePayment, onEnd);
  const possible: readonly OutcomeName[] =
    payment.state === PaymentState.UNKNOWN ? ["charged", "failed"] : ["refunded"];
  return (
    <ActDialog
      title={`${say.settle.title}: ${format.money(payment.amount)}`}
      confirm={say.settle.confirm}
      isReasonRequired
      isBusy={act.isPending}
      error={act.error}
      onConfirm={(reason) =>
        chosen && act.mutate({ paymentId: payment.paymentId, outcome: OUTCOMES[chosen], reason, requestId })
      }
      onDismiss={onEnd}
    >
      <fieldset className="options">
        <legend>{say.settle.advice}</legend>
        {possible.map((name) => (
          <label key={name} className="option">
            <input
              type="radio"
              name="outcome"
              required
              checked={chosen === name}
              onChange={() => setChosen(name)}
            />
            <span>{say.settle[name]}</span>
          </label>
        ))}
      </fieldset>
    </ActDialog>
  );
}
