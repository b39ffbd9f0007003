import { useLanguage } from "../language/language.tsx";
import type { SaleStatus } from "./sale-status.ts";

/** How the sale of an event stands, in two words. Nothing where there is nothing special. */
export function SaleBadge({ status, timeZone }: { status: SaleStatus; timeZone: string }) {
  const { t, format } = useLanguage();
  switch (status.kind) {
    case "left":
      return null;
    case "few":
      return <span className="badge badge-few">{t.events.fewLeft}</span>;
    case "notYet":
      return (
        <span className="badge">
          {status.opensAt && t.events.onSaleFrom(format.dayAndTime(status.opensAt, timeZone))}
        </span>
      );
    case "soldOut":
    case "paused":
    case "closed":
    case "cancelled":
      return <span className="badge badge-off">{t.events[status.kind]}</span>;
  }
}
