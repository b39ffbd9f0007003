import type { ReactNode } from "react";
import { explain } from "../language/explain.ts";
import { useLanguage } from "../language/language.tsx";
import { Empty } from "./empty.tsx";

type FailureProps = {
  error: unknown;
  isPage?: boolean;
  onRetry?: () => void;
  /** Other ways out. */
  children?: ReactNode;
};

/** Stands where something could not be loaded. */
export function Failure({ error, isPage = false, onRetry, children }: FailureProps) {
  const { t } = useLanguage();
  const { title, advice } = explain(t, error);
  return (
    <div role="alert">
      <Empty title={title} advice={advice} isPage={isPage}>
        {onRetry && (
          <button type="button" className="button" onClick={onRetry}>
            {t.tryAgain}
          </button>
        )}
        {children}
      </Empty>
    </div>
  );
}
