import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { useState } from "react";
import { explain } from "../language/explain.ts";
import { useLanguage } from "../language/language.tsx";
import { Notice } from "../ui/notice.tsx";
import { saveCsv } from "./save-csv.ts";
import { useWords } from "./use-words.ts";

/** An event's reservations and figures as files for a spreadsheet. */
export function Downloads({ eventId, name }: { eventId: string; name: string }) {
  const { t } = useLanguage();
  const { event: say } = useWords();
  const transport = useTransport();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const download = async (what: string, lines: AsyncIterable<{ csv: string }>) => {
    setBusy(true);
    setError(undefined);
    try {
      await saveCsv(`${name} - ${what}`, lines);
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  // However long it takes: a large event has a large file.
  const options = { timeoutMs: 0 };
  const reservations = createClient(ReservationService, transport);
  const stats = createClient(StatsService, transport);
  const told = error ? explain(t, error) : undefined;
  return (
    <fieldset className="downloads">
      <legend>{say.downloads}</legend>
      <button
        type="button"
        className="button button-small"
        disabled={isBusy}
        onClick={() =>
          void download(say.reservationsCsv, reservations.exportReservations({ eventId }, options))
        }
      >
        {say.reservationsCsv}
      </button>
      <button
        type="button"
        className="button button-small"
        disabled={isBusy}
        onClick={() => void download(say.statsCsv, stats.exportEventStats({ eventId }, options))}
      >
        {say.statsCsv}
      </button>
      <span role="status">{isBusy && say.preparing}</span>
      {told && <Notice kind="error" title={told.title} advice={told.advice} />}
    </fieldset>
  );
}
