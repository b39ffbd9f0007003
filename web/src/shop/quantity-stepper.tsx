import { type ChangeEvent, useEffect, useState } from "react";
import { useLanguage } from "../language/language.tsx";

type StepperProps = {
  /** The name of the ticket type. */
  type: string;
  quantity: number;
  most: number;
  describedBy: string;
  onChoose(quantity: number): void;
};

/** Chooses a number from 0 to `most`: by its buttons, by arrow keys, or by typing it. */
export function QuantityStepper({ type, quantity, most, describedBy, onChoose }: StepperProps) {
  const { t } = useLanguage();
  const [typed, setTyped] = useState(String(quantity));
  useEffect(() => setTyped(String(quantity)), [quantity]);
  const changeTyped = (event: ChangeEvent<HTMLInputElement>) => {
    const text = event.target.value.replace(/\D/g, "").slice(0, 4);
    setTyped(text);
    if (text !== "") onChoose(Math.min(Number(text), most));
  };
  return (
    <div className="stepper">
      <button
        type="button"
        aria-label={t.event.less(type)}
        disabled={quantity === 0}
        onClick={() => onChoose(quantity - 1)}
      >
        −
      </button>
      <input
        inputMode="numeric"
        role="spinbutton"
        aria-label={t.event.quantityOf(type)}
        aria-valuenow={quantity}
        aria-valuemin={0}
        aria-valuemax={most}
        aria-describedby={describedBy}
        value={typed}
        onChange={changeTyped}
        onFocus={(event) => event.target.select()}
        onBlur={() => setTyped(String(quantity))}
        onKeyDown={(event) => {
          const step = STEPS[event.key];
          if (step === undefined) return;
          event.preventDefault();
          onChoose(Math.max(0, Math.min(quantity + step, most)));
        }}
      />
      <button
        type="button"
        aria-label={t.event.more(type)}
        disabled={quantity >= most}
        onClick={() => onChoose(quantity + 1)}
      >
        +
      </button>
    </div>
  );
}

const STEPS: Readonly<Record<string, number>> = { ArrowUp: 1, ArrowDown: -1 };
