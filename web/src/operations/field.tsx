import { useId } from "react";

type FieldProps = {
  label: string;
  value: string;
  onValue(value: string): void;
  type?: "text" | "date" | "time" | "datetime-local" | "number";
  required?: boolean;
  maxLength?: number;
  min?: number;
  max?: number;
  hint?: string;
  /** What is offered while it is typed. */
  options?: readonly string[];
  /** Several lines. */
  isLong?: boolean;
};

/** A labelled field of a form. */
export function Field({ label, value, onValue, hint, options, isLong, ...input }: FieldProps) {
  const id = useId();
  const hintId = useId();
  const listId = useId();
  const described = hint ? { "aria-describedby": hintId } : {};
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {isLong ? (
        <textarea
          id={id}
          rows={3}
          maxLength={input.maxLength}
          value={value}
          onChange={(event) => onValue(event.target.value)}
        />
      ) : (
        <input
          id={id}
          {...described}
          {...input}
          {...(options && { list: listId })}
          value={value}
          onChange={(event) => onValue(event.target.value)}
        />
      )}
      {options && (
        <datalist id={listId}>
          {options.map((option) => (
            <option key={option} value={option} />
          ))}
        </datalist>
      )}
      {hint && (
        <p className="hint" id={hintId}>
          {hint}
        </p>
      )}
    </div>
  );
}
