import { useState } from "react";
import { useLanguage } from "../language/language.tsx";

const TOLD_MS = 2000;

/** Puts a text into the clipboard, where the browser lets it. */
export function CopyButton({ text, label }: { text: () => string; label: string }) {
  const { t } = useLanguage();
  const [isCopied, setCopied] = useState(false);
  if (!("clipboard" in navigator)) return null;
  const copy = () => {
    navigator.clipboard.writeText(text()).then(
      () => {
        setCopied(true);
        setTimeout(() => setCopied(false), TOLD_MS);
      },
      () => {}, // the text is on the page, to be copied by hand
    );
  };
  return (
    <button type="button" className="button button-small" onClick={copy}>
      <span aria-live="polite">{isCopied ? t.copied : label}</span>
    </button>
  );
}
