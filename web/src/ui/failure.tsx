import { explain } from "../language/explain.ts";
import { useLanguage } from "../language/language.tsx";
import { Empty } from "./empty.tsx";

type FailureProps = { error: unknown; isPage?: boolean; onRetry?: () => void };

/** Stands where something could not be loaded. */
export function Failure({ error, isPage = false, onRetry }: FailureProps) {
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
      </Empty>
    </div>
  );
}
