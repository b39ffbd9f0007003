import { type ReactNode, useId, useLayoutEffect, useRef } from "react";

type DialogProps = {
  title: string;
  /** Something that cannot be taken back is asked for. */
  isAlert?: boolean;
  /** It holds more than a question. */
  isWide?: boolean;
  onDismiss(): void;
  children: ReactNode;
};

/**
 * Comes before everything else until it is answered or left by Escape. The browser's own dialog: it keeps focus
 * inside and gives it back, makes the rest inert, and needs no style that the page's policy would forbid.
 */
export function Dialog({ title, isAlert = false, isWide = false, onDismiss, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={isWide ? "dialog dialog-wide" : "dialog"}
      role={isAlert ? "alertdialog" : undefined}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onDismiss();
      }}
    >
      <h2 id={titleId}>{title}</h2>
      {children}
    </dialog>
  );
}
