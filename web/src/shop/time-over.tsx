import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Notice } from "../ui/notice.tsx";

/** What a hold that has ended says, and where it leads. */
export function TimeOver({ eventId }: { eventId: string }) {
  const { t } = useLanguage();
  return (
    <section className="outcome">
      <Notice kind="warning" {...t.reservation.expired}>
        <Link href={`/events/${eventId}`} className="button button-main">
          {t.reservation.again}
        </Link>
      </Notice>
    </section>
  );
}
