import { type FormEvent, type ReactNode, useId, useState } from "react";
import { explain } from "../language/explain.ts";
import { useLanguage } from "../language/language.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Notice } from "../ui/notice.tsx";
import { useWords } from "./use-words.ts";

type ActDialogProps = {
  title: string;
  advice?: string;
  confirm: string;
  /** Whether it takes something away from somebody. */
  isDanger?: boolean;
  isReasonRequired?: boolean;
  isBusy: boolean;
  error: unknown;
  onConfirm(reason: string): void;
  onDismiss(): void;
  /** What else has to be told. */
  children?: ReactNode;
};

const LONGEST_REASON = 500;

/** Asks an operator before an act, and for the reason that the audit keeps. */
export function ActDialog(props: ActDialogProps) {
  const { title, advice, confirm, isDanger, isReasonRequired = false, isBusy, error, children } = props;
  const { t } = useLanguage();
  const { act: say } = useWords();
  const [reason, setReason] = useState("");
  const reasonId = useId();
  const hintId = useId();
  const submit = (submitted: FormEvent) => {
    submitted.preventDefault();
    props.onConfirm(reason.trim());
  };
  const told = error ? explain(t, error) : undefined;
  return (
    <Dialog title={title} isAlert={isDanger ?? false} onDismiss={() => !isBusy && props.onDismiss()}>
      {advice && <p>{advice}</p>}
      <form onSubmit={submit}>
        {children}
        <div className="fields">
          <label htmlFor={reasonId}>
            {say.reason}
            {!isReasonRequired && <span className="optional"> ({say.optional})</span>}
          </label>
          <input
            id={reasonId}
            maxLength={LONGEST_REASON}
            required={isReasonRequired}
            aria-describedby={hintId}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
          <p className="hint" id={hintId}>
            {say.reasonHint}
          </p>
        </div>
        {told && <Notice kind="error" title={told.title} advice={told.advice} />}
        <div className="dialog-acts">
          <button type="button" className="button" disabled={isBusy} onClick={props.onDismiss}>
            {say.dismiss}
          </button>
          <button
            type="submit"
            className={isDanger ? "button button-danger" : "button button-main"}
            disabled={isBusy}
          >
            {isBusy ? say.busy : confirm}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
