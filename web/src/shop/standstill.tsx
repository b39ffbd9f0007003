import { useLanguage } from "../language/language.tsx";
import type { SaleStatus } from "./sale-status.ts";

/** Why nothing of an event can be bought, told once for all of its tickets, and what to expect. */
export function Standstill({ status: { kind } }: { status: SaleStatus }) {
  const { t } = useLanguage();
  if (kind !== "soldOut" && kind !== "paused" && kind !== "closed") return null;
  const { title, advice } = t.event.standstill[kind];
  return (
    <div className="opening" role="status">
      <p className="opening-label">{title}</p>
      <p className="hint">{advice}</p>
    </div>
  );
}
