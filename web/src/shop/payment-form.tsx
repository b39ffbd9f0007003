import type { Reservation } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { type FormEvent, useState } from "react";
import { explain } from "../language/explain.ts";
import { clock } from "../language/formats.ts";
import { useLanguage } from "../language/language.tsx";
import { Notice } from "../ui/notice.tsx";
import { type CardName, TEST_CARDS } from "./test-cards.ts";
import { usePay } from "./use-pay.ts";

/** Pays a hold. A failure is explained here, and leaves the form ready for another card. */
export function PaymentForm({ reservation, leftMs }: { reservation: Reservation; leftMs: number }) {
  const { t, format } = useLanguage();
  const [card, setCard] = useState<CardName>("works");
  const { pay, isPaying, isSlow, error } = usePay(reservation.reservationId);
  const say = t.reservation.pay;
  const submit = (submitted: FormEvent) => {
    submitted.preventDefault();
    pay(TEST_CARDS[card]);
  };
  const told = error && explain(t, error, { timeLeft: clock(leftMs).clock });
  return (
    <form className="payment" onSubmit={submit}>
      <fieldset disabled={isPaying}>
        <legend>{say.title}</legend>
        <p className="hint">{say.sandbox}</p>
        {CARD_NAMES.map((name) => (
          <label key={name} className="option">
            <input type="radio" name="card" checked={card === name} onChange={() => setCard(name)} />
            <span>
              <span className="option-name">{say.cards[name].name}</span>
              <span className="hint">{say.cards[name].hint}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {told && !isPaying && <Notice kind="error" title={told.title} advice={told.advice} />}
      {isSlow && <Notice kind="info" {...say.slow} />}
      <button type="submit" className="button button-main" disabled={isPaying}>
        {isPaying ? say.paying : submitLabel()}
      </button>
      <p className="hint">{say.notTwice}</p>
    </form>
  );

  function submitLabel(): string {
    return reservation.total?.minorUnits === 0n
      ? say.submitFree
      : say.submit(format.money(reservation.total));
  }
}

const CARD_NAMES = Object.keys(TEST_CARDS) as CardName[];
