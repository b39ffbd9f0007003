import { useLanguage } from "../language/language.tsx";

/** Stands where something is about to be; a reader is told, an eye sees its outline. */
export function Loading({ lines = 3 }: { lines?: number }) {
  const { t } = useLanguage();
  return (
    <div className="loading" role="status">
      <span className="unseen">{t.loading}</span>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all the same
        <span key={line} className="loading-line" />
      ))}
    </div>
  );
}
