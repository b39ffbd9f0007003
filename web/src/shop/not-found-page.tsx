import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Empty } from "../ui/empty.tsx";
import { useTitle } from "../ui/use-title.ts";

/** For an address that leads nowhere. */
export function NotFoundPage() {
  const { t } = useLanguage();
  useTitle(t.notFound.title);
  return (
    <Empty isPage title={t.notFound.title} advice={t.notFound.advice}>
      <Link href="/" className="button">
        {t.notFound.back}
      </Link>
    </Empty>
  );
}
