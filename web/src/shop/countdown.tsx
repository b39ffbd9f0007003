import { clock } from "../language/formats.ts";
import { useLanguage } from "../language/language.tsx";

const HURRY_MS = 60_000;

/** How long the hold still lasts. The minutes are read out, not every second. */
export function Countdown({ leftMs }: { leftMs: number }) {
  const { t } = useLanguage();
  const isHurry = leftMs < HURRY_MS;
  return (
    <div className={isHurry ? "countdown countdown-hurry" : "countdown"}>
      <div>
        <h2>{t.reservation.held}</h2>
        <p>{t.reservation.heldUntil}</p>
      </div>
      <p className="countdown-clock">
        <span className="countdown-label">{t.reservation.timeLeft}</span>
        <span role="timer">{clock(leftMs).clock}</span>
      </p>
      <p className="unseen" role="status">
        {isHurry && t.reservation.hurry}
      </p>
    </div>
  );
}
