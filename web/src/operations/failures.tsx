import type { PaymentFailures } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { useLanguage } from "../language/language.tsx";
import { useWords } from "./use-words.ts";

/** Why payments failed, and how often, the most frequent first. */
export function Failures({ failures }: { failures: readonly PaymentFailures[] }) {
  const { format } = useLanguage();
  const { failures: say } = useWords();
  const most = failures.reduce((max, { count }) => (count > max ? count : max), 1n);
  return (
    <section className="panel">
      <h2>{say.title}</h2>
      {failures.length === 0 ? (
        <p className="hint">{say.none}</p>
      ) : (
        <ul className="bars">
          {failures
            .toSorted((a, b) => Number(b.count - a.count))
            .map(({ reason, count }) => (
              <li key={reason}>
                <span className="bars-name">{say.reasons[reason] ?? reason}</span>
                <span className="bars-count">{format.count(count)}</span>
                <span className="bars-bar" aria-hidden="true">
                  <span style={{ width: `${(Number(count) / Number(most)) * 100}%` }} />
                </span>
              </li>
            ))}
        </ul>
      )}
    </section>
  );
}
