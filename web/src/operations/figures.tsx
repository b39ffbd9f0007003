import type { ReactNode } from "react";

export type Figure = {
  label: string;
  value: ReactNode;
  hint?: string | undefined;
  /** Somebody has to do something about it. */
  isAlert?: boolean;
};

/** Figures side by side, the most important first. */
export function Figures({ figures }: { figures: readonly Figure[] }) {
  return (
    <dl className="figures">
      {figures.map(({ label, value, hint, isAlert }) => (
        <div key={label} className={isAlert ? "figure figure-alert" : "figure"}>
          <dt>{label}</dt>
          <dd>
            <span className="figure-value">{value}</span>
            {hint && <span className="figure-hint">{hint}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
