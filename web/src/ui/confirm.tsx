import type { ReactNode } from "react";
import { Dialog } from "./dialog.tsx";

type ConfirmProps = {
  title: string;
  advice: string;
  confirm: string;
  dismiss: string;
  isBusy: boolean;
  onConfirm(): void;
  onDismiss(): void;
  children?: ReactNode;
};

/** Asks before something that cannot be taken back. */
export function Confirm(props: ConfirmProps) {
  const { title, advice, confirm, dismiss, isBusy, onConfirm, onDismiss, children } = props;
  return (
    <Dialog title={title} isAlert onDismiss={() => !isBusy && onDismiss()}>
      <p>{advice}</p>
      {children}
      <div className="dialog-acts">
        <button type="button" className="button" disabled={isBusy} onClick={onDismiss}>
          {dismiss}
        </button>
        <button type="button" className="button button-danger" disabled={isBusy} onClick={onConfirm}>
          {confirm}
        </button>
      </div>
    </Dialog>
  );
}
