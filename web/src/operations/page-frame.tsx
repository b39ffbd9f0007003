import type { ReactNode } from "react";
import { Link } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Preferences } from "../ui/preferences.tsx";
import { useFocusOnArrival } from "../ui/use-focus-on-arrival.ts";
import { useOnline } from "../ui/use-online.ts";
import { useWords } from "./use-words.ts";

/** What is around every operations page, signed in or not. */
export function PageFrame({
  nav,
  session,
  children,
}: {
  nav?: ReactNode;
  session?: ReactNode;
  children: ReactNode;
}) {
  const { t } = useLanguage();
  const words = useWords();
  const isOnline = useOnline();
  const main = useFocusOnArrival();
  return (
    <div className="operations">
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        {t.skipToContent}
      </button>
      <header className="top">
        <div className="top-inner">
          <Link href="/operations" className="brand">
            {t.brand} <span className="brand-part">{words.title}</span>
          </Link>
          {nav}
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
          <div className="bottom-links">
            {session}
            <Link href="/">{words.shop}</Link>
          </div>
          <Preferences />
        </div>
      </footer>
    </div>
  );
}
