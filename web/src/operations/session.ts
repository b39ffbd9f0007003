import { useSyncExternalStore } from "react";
import { keep, kept } from "../ui/kept.ts";

/** Who operates, by their token. It is kept in this tab alone, until the tab is closed or they sign out. */
export type Session = {
  token: string;
  /** As the token names them. */
  subject: string;
};

const KEY = "boxoffice.operator";

/** Why there is no session any more. */
export type Ending = "signed-out" | "refused";

type State = { session: Session | undefined; ending: Ending | undefined };

let state: State = { session: sessionOf(kept("session", KEY)), ending: undefined };
const listeners = new Set<() => void>();

export function useSession(): State {
  return useSyncExternalStore(
    (onChange) => {
      listeners.add(onChange);
      return () => listeners.delete(onChange);
    },
    () => state,
  );
}

/** The bearer token for calls, where somebody is signed in. */
export function bearer(): string | undefined {
  return state.session?.token;
}

export function beginSession(session: Session): void {
  keep("session", KEY, session.token);
  become({ session, ending: undefined });
}

export function endSession(ending: Ending): void {
  keep("session", KEY, undefined);
  become({ session: undefined, ending });
}

/**
 * Reads a token as somebody pastes it. Nothing is verified here: the services decide what it is worth.
 *
 * @returns undefined where it is no token at all
 */
export function sessionOf(pasted: string | undefined): Session | undefined {
  const token = pasted?.replace(/^\s*Bearer\s+/i, "").replace(/\s/g, "");
  const [, payload, signature] = token?.split(".") ?? [];
  if (!token || !payload || !signature) return undefined;
  try {
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (c) =>
      c.charCodeAt(0),
    );
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return { token, subject: typeof sub === "string" ? sub : "" };
  } catch {
    return undefined;
  }
}

function become(next: State): void {
  state = next;
  for (const listener of listeners) listener();
}
