import {
  AvailabilityStatus,
  type TicketTypeAvailability,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { useEffect } from "react";
import { serverClock } from "../api/clock.ts";
import { timestampMs } from "../api/timestamp.ts";
import { clock } from "../language/formats.ts";
import { useLanguage } from "../language/language.tsx";
import { useNow } from "../ui/use-now.ts";

const TICK_MS = 250;

/** Around the opening, what is left is asked for this often, in milliseconds. */
const ASK_MS = 1000;

const serverNowMs = (): number => serverClock.nowMs() ?? Date.now();

/** Counts down to the opening of the sale, where nothing can be bought before. */
export function Opening({
  types,
  refetch,
}: {
  types: readonly TicketTypeAvailability[];
  refetch: () => Promise<unknown>;
}) {
  const { t } = useLanguage();
  const opensAtMs = openingOf(types);
  const nowMs = useNow(serverNowMs, TICK_MS, opensAtMs !== undefined);
  const isDue = opensAtMs !== undefined && nowMs >= opensAtMs;
  useEffect(() => {
    if (!isDue) return;
    void refetch();
    const timer = setInterval(() => void refetch(), ASK_MS);
    return () => clearInterval(timer);
  }, [isDue, refetch]);
  if (opensAtMs === undefined) return null;
  const left = clock(opensAtMs - nowMs);
  return (
    <div className="opening">
      {isDue ? (
        <p className="opening-label">{t.event.opensSoon}</p>
      ) : (
        <>
          <p className="opening-label">{t.event.opensIn}</p>
          <p className="opening-clock" role="timer">
            {left.days > 0 && <span>{t.event.days(left.days)} </span>}
            {left.clock}
          </p>
        </>
      )}
      <p className="hint">{t.event.stayHere}</p>
    </div>
  );
}

/** When the first of the types opens; undefined once any can be bought. */
function openingOf(types: readonly TicketTypeAvailability[]): number | undefined {
  if (types.some(({ status }) => status === AvailabilityStatus.ON_SALE)) return undefined;
  const openings = types
    .filter(({ status }) => status === AvailabilityStatus.NOT_YET)
    .flatMap(({ salesStart }) => (salesStart ? timestampMs(salesStart) : []));
  return openings.length === 0 ? undefined : Math.min(...openings);
}
