import type { TypeDraft } from "./event-draft.ts";
import { Field } from "./field.tsx";
import { useWords } from "./use-words.ts";

type TypeFieldsProps = {
  type: TypeDraft;
  /** Its place among the types, from 1. */
  number: number;
  isBusy: boolean;
  onChange(changed: Partial<TypeDraft>): void;
  /** Undefined where it is the last that is left. */
  onRemove: (() => void) | undefined;
};

/** The fields of one ticket type. */
export function TypeFields({ type, number, isBusy, onChange, onRemove }: TypeFieldsProps) {
  const { create: say } = useWords();
  return (
    <fieldset className="panel fields" disabled={isBusy}>
      <legend>{say.typeTitle(number)}</legend>
      <div className="field-line">
        <Field
          label={say.typeName}
          required
          maxLength={100}
          value={type.name}
          onValue={(name) => onChange({ name })}
        />
        <Field
          label={say.category}
          maxLength={100}
          hint={say.categoryHint}
          value={type.category}
          onValue={(category) => onChange({ category })}
        />
      </div>
      <div className="field-line">
        <Field label={say.price} required value={type.price} onValue={(price) => onChange({ price })} />
        <Field
          label={say.quantity}
          required
          type="number"
          min={0}
          max={10_000_000}
          value={type.quantity}
          onValue={(quantity) => onChange({ quantity })}
        />
        <Field
          label={say.most}
          required
          type="number"
          min={1}
          max={1000}
          value={type.most}
          onValue={(most) => onChange({ most })}
        />
      </div>
      <div className="field-line">
        <Field
          label={say.salesStart}
          type="datetime-local"
          hint={say.salesStartHint}
          value={type.salesStart}
          onValue={(salesStart) => onChange({ salesStart })}
        />
      </div>
      {onRemove && (
        <button
          type="button"
          className="button button-small"
          aria-label={say.removeType(number)}
          onClick={onRemove}
        >
          {say.remove}
        </button>
      )}
    </fieldset>
  );
}
