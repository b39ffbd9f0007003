import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { useLanguage } from "../language/language.tsx";

/** The leaf of a calendar; the date is written beside it in full, so nobody has to hear it twice. */
export function DateLeaf({ time, timeZone }: { time: Timestamp; timeZone: string }) {
  const { format } = useLanguage();
  const { day, month } = format.dayAndMonth(time, timeZone);
  return (
    <div className="leaf" aria-hidden="true">
      <span className="leaf-month">{month}</span>
      <span className="leaf-day">{day}</span>
    </div>
  );
}
