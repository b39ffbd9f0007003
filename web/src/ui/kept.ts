/** What the browser keeps for these pages: for the tab (`session`) or for good (`local`). It may refuse to. */
type Place = "session" | "local";

const placeOf = (place: Place): Storage => (place === "session" ? sessionStorage : localStorage);

export function kept(place: Place, key: string): string | undefined {
  try {
    return placeOf(place).getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** @param value undefined to forget it */
export function keep(place: Place, key: string, value: string | undefined): void {
  try {
    if (value === undefined) placeOf(place).removeItem(key);
    else placeOf(place).setItem(key, value);
  } catch {
    // Private windows may keep nothing; then a page forgets when it is left.
  }
}
