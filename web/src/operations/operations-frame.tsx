import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { PageFrame } from "./page-frame.tsx";
import { endSession, type Session } from "./session.ts";
import { useWords } from "./use-words.ts";

const PLACES = {
  overview: "/operations",
  reservations: "/operations/reservations",
  payments: "/operations/payments",
  categories: "/operations/categories",
  audit: "/operations/audit",
  create: "/operations/new",
} as const;

type Place = keyof typeof PLACES;

/** The frame of who is signed in: with the ways between the pages, and the way out. */
export function OperationsFrame({ session, children }: { session: Session; children: ReactNode }) {
  const words = useWords();
  const [path] = useLocation();
  const nav = (
    <nav aria-label={words.title}>
      {(Object.keys(PLACES) as Place[]).map((place) => (
        <Link
          key={place}
          href={PLACES[place]}
          className={path === PLACES[place] ? "active" : ""}
          aria-current={path === PLACES[place] ? "page" : undefined}
        >
          {words.nav[place]}
        </Link>
      ))}
    </nav>
  );
  const who = (
    <>
      {session.subject && <span>{words.signedInAs(session.subject)}</span>}
      <button type="button" className="button button-small" onClick={() => endSession("signed-out")}>
        {words.signOut}
      </button>
    </>
  );
  return (
    <PageFrame nav={nav} session={who}>
      {children}
    </PageFrame>
  );
}
