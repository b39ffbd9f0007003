import type { ReactNode } from "react";
import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Preferences } from "../ui/preferences.tsx";
import { useFocusOnArrival } from "../ui/use-focus-on-arrival.ts";
import { useOnline } from "../ui/use-online.ts";

/** What is around every page of the shop. */
export function ShopFrame({ children }: { children: ReactNode }) {
  const { t } = useLanguage();
  const isOnline = useOnline();
  const main = useFocusOnArrival();
  // No link to an anchor: what stands after the # of an address is a reservation.
  const skip = () => main.current?.focus();
  return (
    <>
      <button type="button" className="skip" onClick={skip}>
        {t.skipToContent}
      </button>
      <header className="top">
        <div className="top-inner">
          <Link href="/" className="brand">
            {t.brand}
          </Link>
          <nav aria-label={t.brand}>
            <Link href="/" className={(isActive) => (isActive ? "active" : "")}>
              {t.nav.events}
            </Link>
            <Link href="/tickets" className={(isActive) => (isActive ? "active" : "")}>
              {t.nav.tickets}
            </Link>
          </nav>
        </div>
      </header>
      {!isOnline && (
        <p className="strip" role="status">
          {t.offline}
        </p>
      )}
      <main className="page" ref={main} tabIndex={-1}>
        {children}
      </main>
      <footer className="bottom">
        <div className="bottom-inner">
          <p>{t.footer}</p>
          <Preferences />
        </div>
      </footer>
    </>
  );
}
